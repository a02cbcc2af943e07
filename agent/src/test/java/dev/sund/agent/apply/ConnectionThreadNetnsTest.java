package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** S15 on a kernel's table, with {@code conntrack} as writer and reader. */
@Tag("netns")
class ConnectionThreadNetnsTest {
  private final TestNetns net = TestNetns.open();
  private final NetNs node = net.create("node");
  private final AgentMetrics metrics = new AgentMetrics();
  private ConnectionThread thread;
  private int nextPort = 2000;

  @BeforeEach
  void start() throws Exception {
    TestNetns.run(node, "ip", "addr", "add", "192.168.1.1/24", "dev", "lo");
    TestNetns.run(node, "ip", "addr", "add", "fd00:1::1/64", "dev", "lo", "nodad");
    LogSink sink =
        new LogSink(_ -> {}, InstantSource.system(), System::nanoTime, "", LogLevel.DEBUG);
    thread = ConnectionThread.start(node, metrics, sink.log("kernel"));
  }

  @AfterEach
  void end() throws Exception {
    thread.close();
    net.close();
  }

  @Test
  void whatGoesToNobodyWhoServesIsDeletedAndAllElseStays() throws Exception {
    connection("udp", "10.96.0.10", 53, "10.1.0.8", 5353); // gone with its endpoint
    connection("udp", "10.96.0.10", 53, "10.1.0.9", 5353);
    connection("tcp", "10.96.0.10", 53, "10.1.0.8", 5353);
    connection("udp", "fd00:96::10", 53, "fd00:10::8", 5353); // gone with its endpoint
    connection("udp", "fd00:96::10", 53, "fd00:10::9", 5353);
    connection("udp", "192.168.1.1", 30053, "10.1.0.8", 5353); // gone with its endpoint
    connection("udp", "192.168.1.2", 30053, "10.1.0.8", 5353);
    connection("udp", "fd00:1::1", 30053, "fd00:10::8", 5353); // gone with its endpoint
    connection("udp", "10.96.0.11", 53, "10.1.0.8", 5353);

    thread.call(
        List.of(
            serving(new Place.At(Ip.parse("10.96.0.10")), 53, "10.1.0.9"),
            serving(new Place.At(Ip.parse("fd00:96::10")), 53, "fd00:10::9"),
            serving(new Place.AnyLocal(Family.V4), 30053, "10.1.0.9"),
            serving(new Place.AnyLocal(Family.V6), 30053, "fd00:10::9")));

    await(() -> metrics.connectionsDeleted.get() == 4);
    assertThat(left("udp", "ipv4"))
        .containsExactlyInAnyOrder(
            "10.96.0.10 10.1.0.9", "192.168.1.2 10.1.0.8", "10.96.0.11 10.1.0.8");
    assertThat(left("udp", "ipv6")).containsExactly("fd00:96::10 fd00:10::9");
    assertThat(left("tcp", "ipv4")).containsExactly("10.96.0.10 10.1.0.8");
    assertThat(metrics.connectionListings.get()).isEqualTo(1);
  }

  @Test
  void theTableIsNotReadWhenNobodyServesOrNothingChanged() throws Exception {
    connection("udp", "10.96.0.10", 53, "10.1.0.8", 5353);

    thread.call(List.of());
    thread.call(
        List.of(
            Serving.of(
                new Frontend.Key(new Place.At(Ip.parse("10.96.0.10")), Protocol.UDP, 53),
                List.of())));

    LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
    assertThat(metrics.connectionListings.get()).isZero();
    assertThat(left("udp", "ipv4")).hasSize(1);
  }

  @Test
  void manyChangesShareAListing() throws Exception {
    long began = System.nanoTime();
    for (int i = 0; i < 200; i++) {
      thread.call(List.of(serving(new Place.At(Ip.v4(0x0a600000 + i)), 53, "10.1.0.9")));
    }
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    await(() -> metrics.connectionListings.get() > 0);
    LockSupport.parkNanos(Duration.ofMillis(200).toNanos());

    // Those who call slowly share less: one listing each time that changes are gathered for.
    assertThat(metrics.connectionListings.get())
        .isLessThan(10 + took.dividedBy(Duration.ofMillis(5)));
  }

  private static Serving serving(Place place, int port, String address) {
    return Serving.of(
        new Frontend.Key(place, Protocol.UDP, port),
        List.of(new Serving.At(Ip.parse(address), 5353)));
  }

  private void connection(String protocol, String asked, int port, String answers, int from) {
    String client = asked.contains(":") ? "fd00:10::5" : "10.1.0.5";
    String source = String.valueOf(nextPort++);
    TestNetns.run(
        node,
        "sh",
        "-c",
        ("conntrack -I -p %s -s %s -d %s --sport %s --dport %d --reply-src %s --reply-dst %s"
                + " --reply-port-src %d --reply-port-dst %s --timeout 100%s")
            .formatted(
                protocol,
                client,
                asked,
                source,
                port,
                answers,
                client,
                from,
                source,
                protocol.equals("tcp") ? " --state ESTABLISHED" : ""));
  }

  /** Who is asked and who answers, of each connection. */
  private List<String> left(String protocol, String family) {
    return TestNetns.run(node, "conntrack", "-L", "-p", protocol, "-f", family)
        .lines()
        .map(line -> line.replaceAll(".*? dst=(\\S+) .* src=(\\S+) .*", "$1 $2"))
        .toList();
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within 30 s");
      }
      LockSupport.parkNanos(1_000_000);
    }
  }
}
