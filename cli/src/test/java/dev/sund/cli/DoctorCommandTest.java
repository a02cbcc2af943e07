package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Catalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code sund doctor} on a recorded tree that forwards nothing and is too narrow for its tunnel.
 */
class DoctorCommandTest {
  @TempDir Path root;

  private final CommandRun run = new CommandRun();

  @BeforeEach
  void record() throws IOException {
    RecordedRoot.of(root)
        .withTunnelTooWide()
        .write(
            "sund-facts/links",
            "link=eth0 kind= mtu=1500 up=1\nlink=flannel.1 kind=vxlan mtu=1500 up=1 port=8472");
  }

  private int doctor(String... arguments) {
    return run.sund(List.of("doctor", "--root", root.toString()), arguments);
  }

  @Test
  void findingsComeWithTheirRemedyTheWorstFirst() {
    assertThat(doctor("--only", "forwarding-off,tunnel-mtu,default-route")).isEqualTo(1);
    assertThat(run.out())
        .isEqualTo(
            """
            error    forwarding-off       IPv4 is not forwarded.
                                          mend: sysctl -w net.ipv4.ip_forward=1, and a file in /etc/sysctl.d
            error    tunnel-mtu           flannel.1 (vxlan) has MTU 1500, and eth0 below it 1500: with 50 bytes of headers at most 1450 fit.
                                          mend: ip link set flannel.1 mtu 1450, and the same in the network plugin's configuration (Calico veth_mtu, flannel reads it from the device, Cilium mtu)
            2 errors; 1 check right, 0 without an object here, 0 could not read; sund doctor --explain ID says more; sund tune mends 1
            """);
  }

  @Test
  void whatCannotBeReadIsSaidAndEndsWith3() {
    assertThat(doctor("--only", "default-route,clock-source")).isEqualTo(3);
    assertThat(run.out())
        .startsWith("unread   clock-source         could not read: /sys/devices/system/clocksource")
        .endsWith(
            "nothing wrong where it could be read;"
                + " 1 check right, 0 without an object here, 1 could not read\n");
  }

  @Test
  void aBaselineHidesWhatWasThereBefore() throws IOException {
    assertThat(doctor("-o", "json", "--only", "forwarding-off")).isEqualTo(1);
    Path before = Files.writeString(root.resolve("before.json"), run.out());
    assertThat(doctor("--baseline", before.toString(), "--only", "forwarding-off,tunnel-mtu"))
        .isEqualTo(1);
    assertThat(run.out()).doesNotContain("forwarding-off").contains("1 error, 1 as before");
    assertThat(doctor("--baseline", before.toString(), "--only", "forwarding-off")).isZero();
  }

  @Test
  void explainTellsTheWholeStoryOfOne() {
    assertThat(doctor("--explain", "forwarding-off")).isEqualTo(1);
    assertThat(run.out())
        .contains("read   /proc/sys/net/ipv4/ip_forward")
        .contains("why    The node drops what is not for itself")
        .contains("docs/doctor/forwarding-off.md");
  }

  @Test
  void whatCannotBeAskedIsBadInput() {
    assertThat(doctor("--only", "nonsense")).isEqualTo(2);
    assertThat(run.err()).contains("There is no check nonsense.").contains("--list");
    assertThat(doctor("--window", "601")).isEqualTo(2);
    assertThat(doctor("--baseline", root.resolve("none.json").toString())).isNotZero();
    assertThat(doctor("--root", root.resolve("none").toString())).isEqualTo(2);
  }

  @Test
  void theListNamesEveryCheck() {
    assertThat(doctor("--list")).isZero();
    assertThat(run.out().lines()).hasSameSizeAs(Catalogue.all());
  }

  @Test
  void aRecordedProbeIsJudgedAndEndsInTheFabricToUse() throws IOException {
    RecordedRoot here = new RecordedRoot(root);
    here.write(
        "sund-facts/probe",
        """
        probe=peer peer=10.0.0.2 port=7883 local=10.0.0.1 seen=10.0.0.1 device=eth0 mtu=1500 cached-mtu=1500 on-link=1 peer-device=eth0 peer-mtu=1500 peer-cached-mtu=1500
        latency=1 seconds=3 sent=150 heard=150 back=147 rtt-median-us=310 rtt-most-us=12000 jitter-there-us=20 jitter-back-us=30
        way=there tried=1500 path-mtu=1450
        way=back tried=1500 path-mtu=1500
        way=there refusal=1
        way=back refusal=1
        way=there crossing=udp-4789 sent=24 heard=0
        way=back crossing=udp-4789 sent=12 heard=12
        way=there crossing=ipip sent=12 heard=12
        way=back crossing=ipip sent=12 heard=11
        way=there crossing=pod-source skipped=no_pod_address
        way=back crossing=pod-source skipped=no_pod_address
        """);
    here.write("sund-facts/links", "link=eth0 kind= up=1");
    assertThat(doctor("--only", "probe-path-mtu,probe-latency")).isEqualTo(1);
    assertThat(run.out())
        .startsWith("error    probe-path-mtu       eth0 has MTU 1500, but 1450 bytes are the most")
        .contains("warning  probe-latency        3 of 150 small packets from 10.0.0.2 were lost")
        .endsWith(
            """

            10.0.0.2: 1450 bytes there, 1500 back; 0.31 ms (at most 12), jitter 0.02 there, 0.03 back; lost 0.0 % there, 2.0 % back
              passes    IP protocol 4 (IPIP)
              back only UDP 4789 (VXLAN)
              not tried UDP 8472 (flannel's VXLAN, Cilium), UDP 6081 (Geneve), UDP 51820 (WireGuard), TCP 179 (BGP), packets from pods' addresses [no pod address], frames from a second MAC address, ARP or neighbour answers for other addresses
            use this fabric: IPIP, pods' MTU 1430 (IPPool ipipMode: Always, vxlanMode: Never), since IP protocol 4 passes both ways, UDP 4789 does not
            """);

    assertThat(doctor("--only", "probe-underlay", "-o", "json")).isZero();
    assertThat(run.out())
        .contains("\"fabric\":{\"name\":\"IPIP\",\"mtu\":1430")
        .contains("\"udp-4789\":\"blocked\"");
  }

  @Test
  void whatCannotBeProbedIsBadInput() {
    assertThat(doctor("--probe", "10.0.0.2")).isEqualTo(2);
    assertThat(run.err()).contains("--probe measures from a running node");
    assertThat(doctor("--probe", "10.0.0.2", "--probe-port", "0")).isEqualTo(2);
    assertThat(run.err()).contains("--probe-port 0 is no port");
    assertThat(doctor("--probe", "10.0.0.2", "--probe-window", "0")).isEqualTo(2);
    assertThat(run.err()).contains("--probe-window 0 is not between 1 and 600");
    assertThat(doctor("--probe", "10.0.0.2", "--loss-error", "101")).isEqualTo(2);
  }
}
