package dev.sund.doctor.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.doctor.UnreadException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LossCountersTest {
  private final Map<String, String> files = new HashMap<>();

  LossCountersTest() {
    files.put("proc/net/snmp", "Ip: InReceives OutNoRoutes FragCreates\nIp: 100 3 9\n");
    files.put("proc/net/netstat", "TcpExt: ListenOverflows Other\nTcpExt: 5 7\n");
    files.put("proc/net/snmp6", "Ip6InReceives  9\nIp6OutNoRoutes \t 4\nodd line here\n");
    files.put(
        "proc/net/softnet_stat", "00000010 00000002 00000001 0\n00000010 0000000a 00000000 0\n");
    files.put(
        "proc/net/dev",
        "Inter-| Receive\n face |bytes\n  eth0: 1 2 3 40 5 0 0 0 9 9 6 7 0 0 0 0\n");
    files.put(
        "proc/net/stat/nf_conntrack",
        "entries insert_failed\n00000005 00000001\n00000005 00000002\n");
  }

  private LossCounters read() throws UnreadException {
    return LossCounters.read(path -> Optional.ofNullable(files.get(path)), true);
  }

  @Test
  void whatGrewMostIsFirstAndLossesBeforeAllElse() throws UnreadException {
    LossCounters before = read();
    files.put("proc/net/snmp", "Ip: InReceives OutNoRoutes FragCreates\nIp: 900 23 1009\n");
    files.put("proc/net/netstat", "TcpExt: ListenOverflows Other\nTcpExt: 95 900\n");
    List<LossRow> rows = read().since(before, 2);
    assertThat(rows)
        .extracting(LossRow::name)
        .startsWith("TcpExt.ListenOverflows", "Ip.OutNoRoutes", "Ip.FragCreates")
        .doesNotContain("Ip.InReceives", "TcpExt.Other");
    assertThat(rows.getFirst().perSecond()).isEqualTo(45.0);
    assertThat(rows.getFirst().total()).isEqualTo(95);
  }

  @Test
  void countersOfAllFilesAreThere() throws UnreadException {
    assertThat(read().since(read(), 1))
        .extracting(row -> row.name() + " " + row.total())
        .contains(
            "conntrack.insert_failed 3",
            "softnet.dropped 12",
            "softnet.squeezed 1",
            "eth0 rx-errors 3",
            "eth0 rx-drops 40",
            "eth0 tx-drops 7",
            "Ip6OutNoRoutes 4");
  }

  @Test
  void aCounterThatBeganAnewHasNotGrown() throws UnreadException {
    LossCounters before = read();
    files.put("proc/net/snmp", "Ip: InReceives OutNoRoutes FragCreates\nIp: 0 0 0\n");
    files.put(
        "proc/net/dev",
        "Inter-| Receive\n face |bytes\n  new0: 1 2 3 40 5 0 0 0 9 9 6 7 0 0 0 0\n");
    assertThat(read().since(before, 1)).allMatch(row -> row.grew() == 0);
  }

  @Test
  void filesThatAKernelDoesNotHaveAreLeftOut() throws UnreadException {
    files.clear();
    assertThat(read().since(read(), 1)).isEmpty();
  }

  @Test
  void whatIsNotUnderstoodIsSaid() {
    files.put("proc/net/snmp", "Ip: A B\nIp: 1\n");
    assertThatThrownBy(this::read).hasMessageContaining("/proc/net/snmp");
  }

  @Test
  void dropsOfPoliciesStandBesideThem() throws UnreadException {
    LossCounters before = read().with(Map.of("policy shop/db in policy-ingress", 5L));
    LossCounters after = read().with(Map.of("policy shop/db in policy-ingress", 25L));
    assertThat(after.since(before, 1).getFirst())
        .extracting(LossRow::name, LossRow::grew, LossRow::weight)
        .containsExactly("policy shop/db in policy-ingress", 20L, LossWeight.NOTE);
  }
}
