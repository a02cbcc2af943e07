package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two questions of one socket at the same moment, as resolvers ask for both families. Each may be
 * the first of its connection: with a chance choice they go to two servers, the kernel keeps one of
 * the two connections for a second only, and an answer that comes later is lost, or comes from the
 * server's own address. Chosen by the client's address and port both go the same way.
 *
 * <p>The half with chance choice has rules of the test's own and shows that the races are there:
 * without losses in it, the other half would prove nothing.
 */
@Tag("netns")
@Tag("alone") // two threads have to send at the same moment, each on a processor of its own
@Timeout(180)
class DnsRaceNetnsTest {
  private static final int PAIRS = Boolean.getBoolean("sund.long") ? 3000 : 300;
  private static final int SERVERS = 4;
  private static final Duration LATE = Duration.ofMillis(1500);
  private static final Duration PATIENCE = Duration.ofMillis(1000);
  private static final String CHANCE = "10.96.0.99";
  private static final String OURS = "10.96.0.10";
  private static final int PORT = 53;

  private final Testbed bed = Testbed.of(1, IpPool.VxlanMode.CROSS_SUBNET);
  private final List<TestPod> servers = new ArrayList<>();

  @AfterEach
  void close() {
    bed.close();
  }

  /** One socket, which asks twice; not the JDK's, which lets one thread send at a time. */
  private record Pair(NetSocket socket, boolean connected, boolean chance) {}

  /** What came of the pairs of one half. */
  private record Outcome(int asked, int lost, int wrong) {}

  @Test
  void lateAnswersOfTwoQuestionsComeAndFromTheRightAddress() throws Exception {
    for (int i = 0; i < SERVERS; i++) {
      servers.add(bed.pod(1, "dns" + i));
    }
    TestPod client = bed.pod(1, "client");
    ours();
    byChance();
    List<Pair> pairs = new ArrayList<>();
    List<DatagramChannel> listening = new ArrayList<>();
    AtomicInteger answered = new AtomicInteger();
    AtomicBoolean asked = new AtomicBoolean();
    try {
      for (TestPod server : servers) {
        listening.add(serve(server.ns()));
      }
      for (int i = 0; i < 2 * PAIRS; i++) {
        pairs.add(pair(client.ns(), 20_000 + i, i % 2 == 0, i % 4 < 2));
      }
      Thread answers = Thread.ofPlatform().start(() -> answer(listening, asked, answered));
      ask(pairs);
      asked.set(true);
      answers.join();
      assertThat(answered.get()).as("questions that were answered").isGreaterThan(3 * PAIRS);

      Outcome chance = outcome(pairs, true);
      Outcome ours = outcome(pairs, false);

      assertThat(chance.lost() + chance.wrong())
          .as("without races this test is worth nothing: %s", chance)
          .isGreaterThanOrEqualTo(chance.asked() / 10);
      assertThat(ours.lost()).as("lost").isZero();
      assertThat(ours.wrong()).as("from a wrong address").isZero();
    } finally {
      for (Pair pair : pairs) {
        pair.socket().close();
      }
      for (DatagramChannel channel : listening) {
        channel.close();
      }
    }
  }

  /** A Service as the compiler makes it of one of type ClusterIP. */
  private void ours() {
    Frontend.Key key = new Frontend.Key(new Place.At(Ip.parse(OURS)), Protocol.UDP, PORT);
    RuleId rule = RuleId.of("Service", "kube-system/dns", "uid");
    Frontend frontend =
        new Frontend(key, new Action.Balance(SERVERS), MasqueradeClass.KEEP_SOURCE, rule);
    List<Change<Endpoint.Key, Endpoint>> endpoints = new ArrayList<>();
    for (int i = 0; i < SERVERS; i++) {
      Endpoint.Key slot = new Endpoint.Key(key, i);
      Endpoint endpoint =
          new Endpoint(slot, servers.get(i).ip(Family.V4), PORT, Optional.empty(), rule);
      endpoints.add(new Change.Put<>(slot, endpoint, Optional.empty()));
    }
    bed.node(1)
        .dataplane()
        .want(
            new ProgramDelta(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(new Change.Put<>(key, frontend, Optional.empty())),
                endpoints));
    assertThat(bed.node(1).settle().failed()).isEmpty();
  }

  private void byChance() {
    StringBuilder map = new StringBuilder();
    for (int i = 0; i < SERVERS; i++) {
      map.append(i == 0 ? "" : ", ").append(i).append(" : ").append(servers.get(i).ip(Family.V4));
    }
    Testbed.run(bed.node(1).ns(), "nft", "add table ip chance");
    Testbed.run(
        bed.node(1).ns(),
        "nft",
        "add chain ip chance pre { type nat hook prerouting priority dstnat - 1; }");
    Testbed.run(
        bed.node(1).ns(),
        "nft",
        "add rule ip chance pre ip daddr %s udp dport %d dnat to numgen random mod %d map { %s }"
            .formatted(CHANCE, PORT, SERVERS, map));
  }

  private static DatagramChannel serve(NetNs ns) throws Exception {
    DatagramChannel channel = ns.call(() -> DatagramChannel.open());
    channel.setOption(StandardSocketOptions.SO_RCVBUF, 4 << 20);
    channel.bind(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), PORT));
    channel.configureBlocking(false);
    return channel;
  }

  private static Pair pair(NetNs ns, int port, boolean connected, boolean chance) throws Exception {
    NetSocket socket = ns.call(() -> NetSocket.udp(Family.V4));
    socket.bind(dev.sund.kernel.socket.Endpoint.any(Family.V4, port));
    if (connected) {
      assertThat(socket.tryConnect(to(chance))).isZero();
    }
    return new Pair(socket, connected, chance);
  }

  private static dev.sund.kernel.socket.Endpoint to(boolean chance) {
    return new dev.sund.kernel.socket.Endpoint(Ip.parse(chance ? CHANCE : OURS), PORT);
  }

  /** Two threads that meet before each pair and send at once. */
  private static void ask(List<Pair> pairs) throws InterruptedException {
    AtomicInteger ready = new AtomicInteger();
    Runnable asker =
        () -> {
          MessageBuffer question = new MessageBuffer(32);
          for (int i = 0; i < pairs.size(); i++) {
            Pair pair = pairs.get(i);
            ready.incrementAndGet();
            while (ready.get() < 2 * (i + 1)) {
              Thread.onSpinWait();
            }
            int sent =
                pair.connected()
                    ? question.send(pair.socket(), 32)
                    : question.sendTo(pair.socket(), 32, to(pair.chance()));
            assertThat(sent).isEqualTo(32);
          }
        };
    Thread one = Thread.ofPlatform().start(asker);
    Thread other = Thread.ofPlatform().start(asker);
    one.join();
    other.join();
  }

  /** A question that waits for its answer. */
  private record Waiting(DatagramChannel channel, SocketAddress asker, long due) {}

  /** Answers each question after {@link #LATE}, until all are asked and no more come. */
  private static void answer(
      List<DatagramChannel> channels, AtomicBoolean asked, AtomicInteger answered) {
    Deque<Waiting> waiting = new ArrayDeque<>();
    ByteBuffer buffer = ByteBuffer.allocateDirect(64);
    try (Selector selector = Selector.open()) {
      for (DatagramChannel channel : channels) {
        channel.register(selector, SelectionKey.OP_READ);
      }
      long last = System.nanoTime();
      boolean more = true;
      while (more) {
        // Known before it looks: a pause that comes in between must not end it.
        boolean over = asked.get() && System.nanoTime() - last > PATIENCE.toNanos();
        selector.select(5);
        selector.selectedKeys().clear();
        for (DatagramChannel channel : channels) {
          buffer.clear();
          SocketAddress asker = channel.receive(buffer);
          while (asker != null) {
            last = System.nanoTime();
            over = false;
            waiting.add(new Waiting(channel, asker, System.nanoTime() + LATE.toNanos()));
            buffer.clear();
            asker = channel.receive(buffer);
          }
        }
        while (!waiting.isEmpty() && waiting.peek().due() <= System.nanoTime()) {
          Waiting one = waiting.remove();
          buffer.clear();
          one.channel().send(buffer, one.asker());
          answered.incrementAndGet();
        }
        more = !over || !waiting.isEmpty();
      }
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Outcome outcome(List<Pair> pairs, boolean chance) {
    MessageBuffer buffer = new MessageBuffer(64);
    int asked = 0;
    int lost = 0;
    int wrong = 0;
    for (Pair pair : pairs) {
      if (pair.chance() != chance) {
        continue;
      }
      asked += 2;
      int came = 0;
      for (int tries = 0; tries < 8 && came < 2; tries++) {
        int length = buffer.receive(pair.socket());
        if (length >= 0) {
          came++;
          wrong += buffer.from().orElseThrow().equals(to(chance)) ? 0 : 1;
        } // else nothing more, or an error that came of an answer from a wrong address
      }
      lost += Math.max(0, 2 - came);
    }
    return new Outcome(asked, lost, wrong);
  }
}
