package dev.sund.kernel.conntrack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.Tuple.Transport;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.NftProgram;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a real kernel, with {@code conntrack} as the independent reader and writer. */
@Tag("netns")
class ConntrackSocketNetnsTest {
  private static final int MANY = Boolean.getBoolean("sund.long") ? 100_000 : 10_000;

  private final TestNetns net = TestNetns.open();
  private final NetNs namespace = net.create("ct");
  private ConntrackSocket conntrack;

  @BeforeEach
  void open() throws Exception {
    conntrack = ConntrackSocket.open(namespace);
  }

  @AfterEach
  void close() {
    conntrack.close();
    net.close();
  }

  @Test
  void entriesOfTheProgramAreListedAndDeletedOneByOne() throws Exception {
    insert(
        "tcp",
        "10.0.0.1",
        "10.96.0.1",
        "--sport",
        "1001",
        "--dport",
        "80",
        "--state",
        "ESTABLISHED");
    insert("udp", "10.0.0.1", "10.96.0.1", "--sport", "1002", "--dport", "53");
    insert(
        "sctp",
        "10.0.0.1",
        "10.96.0.1",
        "--sport",
        "1003",
        "--dport",
        "5060",
        "--state",
        "ESTABLISHED",
        "--orig-vtag",
        "1",
        "--reply-vtag",
        "2");
    insert(
        "icmp", "10.0.0.1", "10.96.0.1", "--icmp-type", "8", "--icmp-code", "0", "--icmp-id", "77");
    insert(
        "tcp",
        "fd00::1",
        "fd00:96::1",
        "--sport",
        "1001",
        "--dport",
        "80",
        "--state",
        "CLOSE_WAIT");
    insert("udp", "fd00::1", "fd00:96::1", "--sport", "1002", "--dport", "53");
    insert(
        "sctp",
        "fd00::1",
        "fd00:96::1",
        "--sport",
        "1003",
        "--dport",
        "5060",
        "--state",
        "ESTABLISHED",
        "--orig-vtag",
        "1",
        "--reply-vtag",
        "2");
    insert(
        "icmpv6",
        "fd00::1",
        "fd00:96::1",
        "--icmpv6-type",
        "128",
        "--icmpv6-code",
        "0",
        "--icmpv6-id",
        "78");

    List<ConntrackEntry> entries = list(ConntrackFilter.ALL);
    Ip four = Ip.parse("10.0.0.1");
    Ip six = Ip.parse("fd00::1");
    Ip service4 = Ip.parse("10.96.0.1");
    Ip service6 = Ip.parse("fd00:96::1");
    assertThat(entries)
        .extracting(ConntrackEntry::original)
        .containsExactlyInAnyOrder(
            Tuple.of(6, four, 1001, service4, 80),
            Tuple.of(17, four, 1002, service4, 53),
            Tuple.of(132, four, 1003, service4, 5060),
            new Tuple(four, service4, new Transport.Query(1, 8, 0, 77), 0),
            Tuple.of(6, six, 1001, service6, 80),
            Tuple.of(17, six, 1002, service6, 53),
            Tuple.of(132, six, 1003, service6, 5060),
            new Tuple(six, service6, new Transport.Query(58, 128, 0, 78), 0));
    assertThat(entries)
        .filteredOn(entry -> entry.original().protocol() == 6)
        .extracting(entry -> entry.tcp().orElseThrow())
        .containsExactlyInAnyOrder(TcpState.ESTABLISHED, TcpState.CLOSE_WAIT);
    assertThat(conntrack.statistics().entries()).isEqualTo(8);
    assertThat(conntrack.statistics().limit()).isPositive();

    for (int left = entries.size(); left > 0; left--) {
      ConntrackEntry entry = entries.get(left - 1);
      assertThat(conntrack.delete(List.of(entry))).containsExactly(Outcome.DONE);
      assertThat(conntrack.delete(List.of(entry))).containsExactly(Outcome.ALREADY_GONE);
      assertThat(
              program("-L", "-f", "ipv4").lines().count()
                  + program("-L", "-f", "ipv6").lines().count())
          .isEqualTo(left - 1);
    }
  }

  @Test
  void theKernelAndTheFilterAgree() throws Exception {
    Ip client = Ip.parse("10.0.0.1");
    Ip client6 = Ip.parse("fd00::1");
    List<ConntrackEntry> made = new ArrayList<>();
    for (int port = 1; port <= 3; port++) {
      for (int protocol : new int[] {6, 17, 132}) {
        made.add(plain(protocol, client, 1000 + port, Ip.parse("10.96.0." + port), port));
        made.add(plain(protocol, client6, 1000 + port, Ip.parse("fd00:96::" + port), port));
      }
    }
    Connections.make(namespace, made);

    assertThat(list(ConntrackFilter.ofProtocol(17))).hasSize(6);
    assertThat(list(ConntrackFilter.to(17, Ip.parse("10.96.0.2"), 2))).hasSize(1);
    assertThat(list(ConntrackFilter.to(132, Ip.parse("fd00:96::3"), 3)))
        .singleElement()
        .satisfies(entry -> assertThat(entry.original().destinationPort()).isEqualTo(3));
    assertThat(list(ConntrackFilter.to(17, Ip.parse("10.96.0.2"), 3))).isEmpty();
    for (ConntrackEntry one : list(ConntrackFilter.ALL)) {
      Tuple tuple = one.original();
      assertThat(
              list(
                  ConntrackFilter.to(
                      tuple.protocol(), tuple.destination(), tuple.destinationPort())))
          .extracting(ConntrackEntry::original)
          .containsExactly(tuple);
    }
  }

  @Test
  void zonesMarksAndTranslationsAreRead() throws Exception {
    program(
        "-I",
        "-p",
        "udp",
        "-s",
        "10.0.0.1",
        "-d",
        "10.96.0.10",
        "--sport",
        "4711",
        "--dport",
        "53",
        "--reply-src",
        "10.1.0.9",
        "--reply-dst",
        "10.0.0.1",
        "--reply-port-src",
        "5353",
        "--reply-port-dst",
        "4711",
        "--timeout",
        "100000",
        "--mark",
        "0x53",
        "--zone",
        "7");
    program(
        "-I",
        "-p",
        "udp",
        "-s",
        "10.0.0.1",
        "-d",
        "10.96.0.10",
        "--sport",
        "4711",
        "--dport",
        "53",
        "--timeout",
        "100");

    ConntrackEntry zoned =
        list(ConntrackFilter.ALL).stream()
            .filter(entry -> entry.zone() == 7)
            .findFirst()
            .orElseThrow();

    assertThat(zoned.reply())
        .isEqualTo(Tuple.of(17, Ip.parse("10.1.0.9"), 5353, Ip.parse("10.0.0.1"), 4711));
    assertThat(zoned.mark()).isEqualTo(0x53);
    assertThat(zoned.timeoutSeconds()).isBetween(99_000L, 100_000L);
    assertThat(zoned.isAssured()).isFalse();
    assertThat(zoned.isAnswered()).isFalse();
    assertThat(conntrack.delete(zoned.original(), 7)).isEqualTo(Outcome.DONE);
    assertThat(list(ConntrackFilter.ALL)).extracting(ConntrackEntry::zone).containsExactly(0);
  }

  @Test
  void countersAreReadWhereAccountingIsOn() throws Exception {
    new NftProgram(namespace)
        .load(
            "table ip t { chain c { type filter hook output priority 0; ct state new accept; }; }");
    TestNetns.run(namespace, "sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct");
    try (NetSocket server = namespace.call(() -> NetSocket.udp(Family.V4));
        NetSocket client = namespace.call(() -> NetSocket.udp(Family.V4))) {
      server.bind(Endpoint.any(Family.V4, 7));
      MessageBuffer buffer = new MessageBuffer(100);
      for (int i = 0; i < 3; i++) {
        buffer.sendTo(client, 100, new Endpoint(Ip.parse("127.0.0.1"), 7));
      }
      buffer.sendTo(server, 10, new Endpoint(Ip.parse("127.0.0.1"), client.local().port()));
    }

    assertThat(list(ConntrackFilter.ofProtocol(17)))
        .singleElement()
        .satisfies(entry ->
            assertThat(entry.counters()).contains(new ConntrackEntry.Counters(3, 3 * 128, 1, 38)));
  }

  @Test
  void anEntryOfAnotherNumberIsLeft() throws Exception {
    Connections.make(
        namespace, List.of(plain(17, Ip.parse("10.0.0.1"), 4711, Ip.parse("10.96.0.10"), 53)));
    ConntrackEntry there = list(ConntrackFilter.ALL).getFirst();
    ConntrackEntry other =
        new ConntrackEntry(
            there.original(),
            there.reply(),
            0,
            there.status(),
            0,
            0,
            Optional.empty(),
            Optional.empty(),
            there.id() ^ 1);

    assertThat(conntrack.delete(List.of(other))).containsExactly(Outcome.ALREADY_GONE);
    assertThat(list(ConntrackFilter.ALL)).hasSize(1);
    assertThat(there.isAssured()).isTrue();
    assertThat(there.isAnswered()).isTrue();
  }

  @Test
  void manyEntriesAreReadAsTheyCome() throws Exception {
    List<ConntrackEntry> made = new ArrayList<>(MANY);
    for (int i = 0; i < MANY; i++) {
      made.add(
          plain(
              i % 10 == 0 ? 17 : 6,
              Ip.v4(0x0a000000 + i / 50_000 + 1),
              1024 + i % 50_000,
              Ip.parse("10.96.0.1"),
              80));
    }
    Connections.make(namespace, made);

    assertThat(conntrack.statistics().entries()).isEqualTo(MANY);
    long[] seen = new long[2];
    conntrack.list(ConntrackFilter.ALL, _ -> seen[0]++);
    conntrack.list(ConntrackFilter.ofProtocol(17), _ -> seen[1]++);
    // The table ages while it is read, and a listing may leave out what is made meanwhile.
    assertThat(seen[0]).isEqualTo(MANY);
    assertThat(seen[1]).isEqualTo(MANY / 10);

    List<ConntrackEntry> ofUdp = list(ConntrackFilter.ofProtocol(17));
    assertThat(conntrack.delete(ofUdp)).containsOnly(Outcome.DONE);
    assertThat(conntrack.statistics().entries()).isEqualTo(MANY - MANY / 10);
  }

  private static ConntrackEntry plain(
      int protocol, Ip source, int sourcePort, Ip destination, int port) {
    ConntrackEntry entry =
        Connections.entry(
            Tuple.of(protocol, source, sourcePort, destination, port),
            Tuple.of(protocol, destination, port, source, sourcePort));
    return protocol != 6
        ? entry
        : new ConntrackEntry(
            entry.original(),
            entry.reply(),
            0,
            entry.status(),
            0,
            600,
            Optional.of(TcpState.ESTABLISHED),
            Optional.empty(),
            0);
  }

  private List<ConntrackEntry> list(ConntrackFilter filter) throws Exception {
    List<ConntrackEntry> entries = new ArrayList<>();
    conntrack.list(filter, entries::add);
    return entries;
  }

  private void insert(String protocol, String source, String destination, String... ports) {
    List<String> arguments =
        new ArrayList<>(
            List.of("-I", "-p", protocol, "-s", source, "-d", destination, "--timeout", "100"));
    arguments.addAll(List.of(ports));
    program(arguments.toArray(String[]::new));
  }

  private String program(String... arguments) {
    String[] command = new String[arguments.length + 1];
    command[0] = "conntrack";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    return TestNetns.run(namespace, command);
  }
}
