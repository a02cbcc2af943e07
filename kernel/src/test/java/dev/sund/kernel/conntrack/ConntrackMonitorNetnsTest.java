package dev.sund.kernel.conntrack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Ip;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** News of connections that begin, on a real kernel. */
@Tag("netns")
@Timeout(60)
class ConntrackMonitorNetnsTest {
  private static final Buffers TINY = new Buffers(8 << 10, 8 << 10, 32 << 10);

  private final TestNetns net = TestNetns.open();
  private final NetNs namespace = net.create("ctnews");
  private final List<Tuple> began = new ArrayList<>();
  private int overruns;

  private final ConntrackMonitor.Sink sink =
      new ConntrackMonitor.Sink() {
        @Override
        public void began(ConntrackEntry entry) {
          began.add(entry.original());
        }

        @Override
        public void overrun() {
          overruns++;
        }

        @Override
        public void unreadable(String why) {
          throw new AssertionError(why);
        }
      };

  @AfterEach
  void close() {
    net.close();
  }

  private static List<ConntrackEntry> entries(int count, String from, String to) {
    List<ConntrackEntry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Ip asker = Ip.parse(from);
      Ip asked = Ip.parse(to);
      entries.add(
          Connections.entry(
              Tuple.of(17, asker, 1000 + i, asked, 53), Tuple.of(17, asked, 53, asker, 1000 + i)));
    }
    return entries;
  }

  @Test
  void eachConnectionThatBeginsIsToldOnceAndNoneThatEnds() throws Exception {
    try (ConntrackMonitor monitor = ConntrackMonitor.open(namespace, Buffers.SMALL);
        ConntrackSocket table = ConntrackSocket.open(namespace)) {
      assertThat(monitor.await(Duration.ofMillis(10))).isFalse();
      List<ConntrackEntry> made = new ArrayList<>(entries(50, "10.0.0.1", "10.0.0.2"));
      made.addAll(entries(50, "fd00::1", "fd00::2"));
      Connections.make(namespace, made);
      while (began.size() < made.size()) {
        assertThat(monitor.await(Duration.ofSeconds(10))).isTrue();
        monitor.poll(sink);
      }
      assertThat(began)
          .containsExactlyElementsOf(made.stream().map(ConntrackEntry::original).toList());
      assertThat(overruns).isZero();
      table.delete(table.statistics().entries() == 0 ? List.of() : made);
      assertThat(monitor.await(Duration.ofMillis(100))).as("nothing is told of ends").isFalse();
    }
  }

  @Test
  void whatTheKernelDropsIsToldOnceAndNewsGoOn() throws Exception {
    try (ConntrackMonitor monitor = ConntrackMonitor.open(namespace, TINY)) {
      Connections.make(namespace, entries(2000, "10.0.0.1", "10.0.0.2"));
      monitor.poll(sink);
      assertThat(overruns).isPositive();
      int told = began.size();
      assertThat(told).isLessThan(2000);
      Connections.make(namespace, entries(1, "10.0.0.3", "10.0.0.2"));
      monitor.poll(sink);
      assertThat(began).hasSize(told + 1);
    }
  }
}
