package dev.sund.it.doctor;

import static dev.sund.it.doctor.WholeMachine.ask;
import static dev.sund.it.doctor.WholeMachine.finding;
import static dev.sund.it.doctor.WholeMachine.look;
import static dev.sund.it.doctor.WholeMachine.read;
import static dev.sund.it.doctor.WholeMachine.run;
import static dev.sund.it.doctor.WholeMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Faults of a whole machine, made in the guest's kernel: a table of connections that is full, one
 * of neighbours that overflows, kube-proxy's mode ipvs that answers for all addresses.
 */
@Tag("guest")
class DoctorGuestTest {
  private static final String CONNTRACK = "net/netfilter/nf_conntrack_max";
  private static final String NEIGHBOURS = "net/ipv4/neigh/default/gc_thresh";

  @BeforeEach
  void onlyInTheGuest() {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "a machine's own settings: run sund test");
  }

  @Test
  void aFullTableOfConnectionsIsFoundAndMended() throws Exception {
    run("nft", "add table ip seen");
    run("nft", "add chain ip seen out { type filter hook output priority 0; }");
    run("nft", "add rule ip seen out ct state new accept");
    String before = read(CONNTRACK);
    try {
      write(CONNTRACK, "64");
      assertThat(finding("conntrack-losses", () -> ask("127.0.0.", 1, 1, 200)).text())
          .contains("lost for want of room");
      assertThat(finding("conntrack-full", () -> ask("127.0.0.", 1, 1, 200)).text())
          .contains("of 64 connections");

      write(CONNTRACK, before);
      assertThat(look("conntrack-full", () -> ask("127.0.0.", 1, 1, 200)).findings()).isEmpty();
    } finally {
      write(CONNTRACK, before);
      run("nft", "delete table ip seen");
    }
  }

  @Test
  void aTableOfNeighboursThatOverflowsIsFoundAndMended() throws Exception {
    String before = read(NEIGHBOURS + 3);
    run("ip", "link add doctor0 type veth peer name doctor1");
    try {
      run("ip", "address add 10.9.0.1/16 dev doctor0");
      run("ip", "link set doctor0 up");
      run("ip", "link set doctor1 up");
      write(NEIGHBOURS + 3, "16");
      assertThat(finding("neighbours-full", () -> ask("10.9.1.", 1, 200, 1)).object())
          .isEqualTo("net.ipv4.neigh.default.gc_thresh3");
      assertThat(look("sysctl-values", () -> {}).findings())
          .anyMatch(finding -> finding.object().contains("gc_thresh"));

      write(NEIGHBOURS + 3, before);
      run("ip", "link set doctor0 down"); // its entries go
      assertThat(look("sysctl-values", () -> {}).findings())
          .noneMatch(finding -> finding.object().contains("gc_thresh"));
    } finally {
      write(NEIGHBOURS + 3, before);
      run("ip", "link delete doctor0");
    }
  }

  @Test
  void modeIpvsThatAnswersForAllAddressesIsFoundAndMended() throws Exception {
    String all = "net/ipv4/conf/all/";
    String ignored = read(all + "arp_ignore");
    String announced = read(all + "arp_announce");
    run("ip", "link add kube-ipvs0 type dummy");
    try {
      run("ip", "address add 10.96.0.10/32 dev kube-ipvs0");
      assertThat(finding("proxy-strict-arp", () -> {}).text())
          .contains("arp_ignore=0 arp_announce=0");
      assertThat(finding("proxy-stale", () -> {}).text()).contains("mode ipvs");

      write(all + "arp_ignore", "1");
      write(all + "arp_announce", "2");
      assertThat(look("proxy-strict-arp", () -> {}).findings()).isEmpty();
    } finally {
      write(all + "arp_ignore", ignored);
      write(all + "arp_announce", announced);
      run("ip", "link delete kube-ipvs0");
    }
  }
}
