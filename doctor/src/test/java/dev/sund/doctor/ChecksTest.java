package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each check four times: with its fault, mended, unreadable, and beside what only looks like it.
 */
class ChecksTest {
  private static final String CONNTRACK = "proc/sys/net/netfilter/nf_conntrack_";
  private static final String STAT = "proc/net/stat/nf_conntrack";
  private static final String CLOCK = "sys/devices/system/clocksource/clocksource0/";

  @TempDir Path root;

  /**
   * A check.
   *
   * @param fault what makes it find something
   * @param finds what its finding says, a part of it
   * @param severity how bad that is
   * @param mended what its remedy leads to, from the fault on
   * @param needs a file that it cannot do without
   * @param neighbour what looks like the fault and is none
   */
  private record Case(
      String id,
      UnaryOperator<RecordedNode> fault,
      Severity severity,
      String finds,
      UnaryOperator<RecordedNode> mended,
      String needs,
      UnaryOperator<RecordedNode> neighbour) {
    @Override
    public String toString() {
      return id;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "tunnel-mtu",
            node -> node.with("sys/class/net/flannel.1/mtu", "1500"),
            Severity.ERROR,
            "at most 1450 fit",
            node -> node.with("sys/class/net/flannel.1/mtu", "1450"),
            "proc/net/route",
            node -> // jumbo frames below carry it
            node.with("sys/class/net/flannel.1/mtu", "1500")
                    .with("sys/class/net/eth0/mtu", "1550")),
        new Case(
            "pod-mtu",
            node -> node.with("sys/class/net/veth12ab/mtu", "1500"),
            Severity.WARNING,
            "1 of 1 pods' devices have a larger MTU (1500) than flannel.1 (1450)",
            node -> node.with("sys/class/net/veth12ab/mtu", "1450"),
            "sys/class/net/flannel.1/mtu",
            node -> node.with("sys/class/net/veth12ab/mtu", "1400")),
        new Case(
            "forwarding-off",
            node -> node.with("proc/sys/net/ipv4/ip_forward", "0"),
            Severity.ERROR,
            "IPv4 is not forwarded",
            node -> node.with("proc/sys/net/ipv4/ip_forward", "1"),
            "proc/sys/net/ipv4/ip_forward",
            node -> node.without("proc/sys/net/ipv6")),
        new Case(
            "reverse-path-filter",
            node -> node.with("proc/sys/net/ipv4/conf/all/rp_filter", "1"),
            Severity.WARNING,
            "flannel.1",
            node -> node.with("proc/sys/net/ipv4/conf/all/rp_filter", "0"),
            "proc/sys/net/ipv4/conf/all/rp_filter",
            node -> node.with("proc/sys/net/ipv4/conf/all/rp_filter", "2")), // loose
        new Case(
            "bridge-netfilter",
            node -> node.without("proc/sys/net/bridge"),
            Severity.WARNING,
            "br_netfilter is not loaded",
            node -> node.with("proc/sys/net/bridge/bridge-nf-call-iptables", "1"),
            "proc/sys/net/bridge/bridge-nf-call-iptables",
            node -> node.without("proc/sys/net/bridge").without("sys/class/net/cni0")),
        new Case(
            "default-route",
            node ->
                node.with("proc/net/route", "eth0\t00000000\t0100A8C0", "eth0\t0000000A\t0100A8C0"),
            Severity.ERROR,
            "no default route",
            node -> node.with("proc/net/route", "0000000A", "00000000"),
            "proc/net/route",
            node -> // only by IPv6
            node.with("proc/net/route", "eth0\t00000000\t0100A8C0", "eth0\t0000000A\t0100A8C0")
                    .with(
                        "proc/net/ipv6_route",
                        "0".repeat(32)
                            + " 00 "
                            + "0".repeat(32)
                            + " 00 fe800000000000000000000000000001 00000400 00000001 00000000"
                            + " 00000003     eth0")),
        new Case(
            "neighbours-full",
            node ->
                node.with(
                    "proc/net/stat/arp_cache",
                    "00000010  00000000 00000000",
                    "00000400  00000000 00000002"),
            Severity.ERROR,
            "ipv4 1,024 of 1,024",
            node ->
                node.with("proc/sys/net/ipv4/neigh/default/gc_thresh3", "16384")
                    .with("proc/net/stat/arp_cache", "00000002", "00000000"),
            "proc/net/stat/arp_cache",
            node -> node.with("proc/net/stat/arp_cache", "00000010", "00000100")),
        new Case(
            "conntrack-full",
            node -> node.with(CONNTRACK + "count", "130000"),
            Severity.ERROR,
            "130,000 of 131,072",
            node -> node.with(CONNTRACK + "max", "262144"),
            CONNTRACK + "count",
            node -> node.without("proc/sys/net/netfilter")),
        new Case(
            "conntrack-losses",
            node ->
                node.with(
                    STAT,
                    "00000400  00000000 00000000 00000000 00000000 00000000\n",
                    "00000400  00000000 00000000 00000005 00000000 00000000\n"),
            Severity.ERROR,
            "5 in 1.0 s",
            node -> node.with(STAT, "00000005", "00000000"),
            STAT,
            node -> // three times in the machine's life
            node.with(
                    STAT,
                    "entries  drop early_drop insert_failed\n00000400 00000000 00000000 00000003")),
        new Case(
            "conntrack-size",
            node -> node.with(CONNTRACK + "max", "65536"),
            Severity.NOTE,
            "suited: 131,072",
            node -> node.with(CONNTRACK + "max", "131072"),
            "proc/meminfo",
            node -> node.with(CONNTRACK + "max", "1000000")), // 8 GB bear it
        new Case(
            "conntrack-buckets",
            node -> node.with(CONNTRACK + "max", "1000000"),
            Severity.WARNING,
            "30 connections share a bucket",
            node -> node.with(CONNTRACK + "buckets", "250000"),
            CONNTRACK + "buckets",
            node -> node.with(CONNTRACK + "max", "262144")),
        new Case(
            "listen-overflows",
            node -> node.with("proc/net/netstat", "TcpExt: 3 0", "TcpExt: 9 0"),
            Severity.ERROR,
            "6 in 1.0 s, 9 since the start",
            node -> node.with("proc/net/netstat", "TcpExt: 9 0", "TcpExt: 3 0"),
            "proc/net/netstat",
            node -> node.with("proc/net/netstat", "TcpExt: Other\nTcpExt: 5")),
        new Case(
            "retransmits",
            node -> node.with("proc/net/snmp", "Tcp: 100000 50", "Tcp: 101000 110"),
            Severity.ERROR,
            "60 of 1,000 segments",
            node -> node.with("proc/net/snmp", "Tcp: 101000 110", "Tcp: 101000 55"),
            "proc/net/snmp",
            node ->
                node.with("proc/net/snmp", "Tcp: 100000 50", "Tcp: 100010 55")), // too few to say
        new Case(
            "fragments",
            node -> node.with("proc/net/snmp", "Ip: 1 0 0 0", "Ip: 1 0 4 0"),
            Severity.ERROR,
            "4 in 1.0 s",
            node -> node.with("proc/net/snmp", "Ip: 1 0 4 0", "Ip: 1 0 0 0"),
            "proc/net/snmp",
            node -> // long ago
            node.with(
                    "proc/net/snmp",
                    "Ip: Forwarding FragCreates FragFails ReasmFails\nIp: 1 9 9 9")),
        new Case(
            "softnet-drops",
            node -> node.with("proc/net/softnet_stat", "00000200 00000000", "00000200 00000010"),
            Severity.ERROR,
            "16 in 1.0 s",
            node -> node.with("proc/net/softnet_stat", "00000200 00000010", "00000200 00000000"),
            "proc/net/softnet_stat",
            node ->
                node.with(
                    "proc/net/softnet_stat",
                    "00000100 00000000 00000001",
                    "00000100 00000000 00000005")),
        new Case(
            "interface-drops",
            node -> node.with("proc/net/dev", "5000 50 0 7 0", "5000 50 0 7 40"),
            Severity.WARNING,
            "rx overruns: 40 in 1.0 s",
            node -> node.with("proc/net/dev", "5000 50 0 7 40", "5000 50 0 7 0"),
            "proc/net/dev",
            node -> node.with("proc/net/dev", "5000 50 0 7 0", "5000 50 0 9 0")), // foreign frames
        new Case(
            "cpu-steal",
            node ->
                node.with(
                    "proc/stat",
                    "cpu 1000 0 500 90000 10 0 20 0",
                    "cpu 1050 0 500 90100 10 0 20 50"),
            Severity.ERROR,
            "25.0 %",
            node -> node.with("proc/stat", "20 50 0 0", "20 0 0 0"),
            "proc/stat",
            node -> // others work here, nobody steals
            node.with(
                    "proc/stat",
                    "cpu 1000 0 500 90000 10 0 20 0",
                    "cpu 1200 0 500 90000 10 0 20 0")),
        new Case(
            "cpu-pressure",
            node -> node.with("proc/pressure/cpu", "avg60=0.50", "avg60=70.00"),
            Severity.WARNING,
            "70.0 % of the last minute",
            node -> node.with("proc/pressure/cpu", "avg60=70.00", "avg60=1.00"),
            "proc/pressure/cpu",
            node -> node.with("proc/pressure/cpu", "avg10=0.10", "avg10=80.00")), // for a moment
        new Case(
            "clock-source",
            node -> node.with(CLOCK + "current_clocksource", "hpet"),
            Severity.WARNING,
            "hpet",
            node -> node.with(CLOCK + "current_clocksource", "tsc"),
            CLOCK + "current_clocksource",
            node -> node.with(CLOCK + "current_clocksource", "kvm-clock")),
        new Case(
            "virtualisation",
            node -> node.with("proc/1/environ", "TERM=linux", "container=lxc"),
            Severity.WARNING,
            "container (lxc)",
            node -> node.with("proc/1/environ", "container=lxc", "TERM=linux"),
            "proc/1/environ",
            node -> node.with("proc/vz/version", "1").with("proc/bc/0", ""))); // OpenVZ's own host
  }

  @ParameterizedTest
  @MethodSource("cases")
  void findsItsFault(Case one) {
    Result result = look(one.fault.apply(new RecordedNode(root)), one);
    assertThat(result.findings()).as("%s", result.outcome()).isNotEmpty();
    Finding worst = result.findings().getFirst();
    assertThat(worst.severity()).isEqualTo(one.severity);
    assertThat(worst.object() + " " + worst.text()).contains(one.finds);
    assertThat(worst.why()).isNotBlank();
    assertThat(worst.remedy()).isNotBlank();
    assertThat(result.sources()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isContentOnceItIsMended(Case one) {
    Result result = look(one.mended.apply(one.fault.apply(new RecordedNode(root))), one);
    assertThat(result.findings()).isEmpty();
    assertThat(result.outcome()).isInstanceOf(Result.Judged.class);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void neverPassesWhatItCannotRead(Case one) {
    Result result = look(new RecordedNode(root).unreadable(one.needs), one);
    assertThat(result.outcome()).isInstanceOf(Result.Unread.class);
    Result.Unread unread = (Result.Unread) result.outcome();
    assertThat(unread.why()).contains(one.needs);
    assertThat(unread.remedy()).endsWith(".");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void leavesAHealthyNeighbourAlone(Case one) {
    Result result = look(one.neighbour.apply(new RecordedNode(root)), one);
    assertThat(result.findings()).isEmpty();
    assertThat(result.outcome()).isInstanceOf(Result.Judged.class);
  }

  private static Result look(RecordedNode node, Case one) {
    try {
      List<Check<?>> checks = List.of(Catalogue.named(one.id).orElseThrow());
      return Examination.of(node.host(), checks).results().getFirst();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyCheckHasItsCasesAndItsPage() {
    List<String> ids = Catalogue.all().stream().<String>map(Check::id).toList();
    assertThat(cases().map(Case::id)).containsExactlyElementsOf(ids);
    Path pages = Path.of(System.getProperty("sund.root", "..")).resolve("docs/doctor");
    assertThat(ids).allSatisfy(id -> assertThat(pages.resolve(id + ".md")).exists());
    assertThat(ids)
        .allSatisfy(
            id -> assertThat(Files.readString(pages.resolve("README.md"))).contains(id + ".md"));
  }

  @Test
  void aHealthyNodeHasNoFindingsAndEveryCheckWasRead() throws Exception {
    Examination found = Examination.of(new RecordedNode(root).host(), Catalogue.all());
    assertThat(found.findings()).isEmpty();
    assertThat(found.unread()).isEmpty();
    assertThat(found.results()).hasSameSizeAs(Catalogue.all());
    assertThat(found.results()).allSatisfy(result -> assertThat(result.sources()).isNotEmpty());
  }

  @Test
  void theWorstComesFirst() throws Exception {
    RecordedNode node =
        new RecordedNode(root)
            .with(CONNTRACK + "max", "65536")
            .with("sys/class/net/veth12ab/mtu", "1500")
            .with("proc/sys/net/ipv4/ip_forward", "0");
    Examination found = Examination.of(node.host(), Catalogue.all());
    assertThat(found.findings().stream().map(one -> one.check().id()).toList())
        .containsExactly("forwarding-off", "pod-mtu", "conntrack-size");
    assertThat(found.worst()).contains(Severity.ERROR);
  }
}
