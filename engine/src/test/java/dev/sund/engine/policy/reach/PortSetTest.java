package dev.sund.engine.policy.reach;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.Protocol;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PortSetTest {
  private static final long SEED = Long.getLong("sund.seed", 20261122);
  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP);

  /** A set, and the same as one bit for each port. */
  private record Both(PortSet set, BitSet bits) {
    static Both random(Random random) {
      Both made = new Both(PortSet.NONE, new BitSet());
      for (int i = random.nextInt(5); i > 0; i--) {
        int protocol = random.nextInt(3);
        int first = random.nextBoolean() ? random.nextInt(8) : 65535 - random.nextInt(8);
        int last = random.nextInt(5) == 0 ? 65535 : Math.min(65535, first + random.nextInt(6));
        BitSet bits = (BitSet) made.bits.clone();
        bits.set(protocol * 65536 + first, protocol * 65536 + last + 1);
        made = new Both(made.set.union(PortSet.of(PROTOCOLS.get(protocol), first, last)), bits);
      }
      if (random.nextInt(3) == 0) {
        BitSet bits = (BitSet) made.bits.clone();
        bits.set(3 * 65536);
        made = new Both(made.set.union(PortSet.WITHOUT_PORTS), bits);
      }
      return made;
    }

    void agree() {
      for (int protocol = 0; protocol < 3; protocol++) {
        for (int i = 0; i < 40; i++) {
          int port = i < 20 ? i : 65555 - i;
          assertThat(set.contains(PROTOCOLS.get(protocol), port))
              .as("%s: %s %d", set, PROTOCOLS.get(protocol), port)
              .isEqualTo(bits.get(protocol * 65536 + port));
        }
      }
      assertThat(set.contains(Protocol.ICMP, 0)).isEqualTo(bits.get(3 * 65536));
      long size = set.ranges().stream().mapToLong(range -> range.last() - range.first() + 1).sum();
      assertThat(size).as("ports in %s", set).isEqualTo(bits.cardinality());
    }
  }

  @Test
  void setsAreWhatOneBitForEachPortWouldBe() {
    Random random = new Random(SEED);
    for (int i = 0; i < 2_000; i++) {
      Both one = Both.random(random);
      Both other = Both.random(random);
      one.agree();
      BitSet and = (BitSet) one.bits.clone();
      and.and(other.bits);
      new Both(one.set.intersection(other.set), and).agree();
      BitSet without = (BitSet) one.bits.clone();
      without.andNot(other.bits);
      new Both(one.set.minus(other.set), without).agree();
      assertThat(one.set.minus(other.set).union(one.set.intersection(other.set)))
          .as("seed %d", SEED)
          .isEqualTo(one.set);
      assertThat(one.set.contains(other.set)).isEqualTo(one.set.union(other.set).equals(one.set));
    }
  }

  @Test
  void setsSayWhatIsInThem() {
    PortSet some =
        PortSet.of(Protocol.TCP, 80, 80)
            .union(PortSet.of(Protocol.TCP, 8000, 8010))
            .union(PortSet.of(Protocol.UDP, 0, 65535))
            .union(PortSet.WITHOUT_PORTS);
    assertThat(some).hasToString("tcp 80, 8000-8010, udp all, icmp and others");
    assertThat(PortSet.ALL.minus(some)).hasToString("tcp 1-79, 81-7999, 8011-65535, sctp all");
    assertThat(PortSet.ALL).hasToString("all");
    assertThat(PortSet.NONE).hasToString("none");
    assertThat(some.union(PortSet.ALL).isAll()).isTrue();
  }
}
