package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.bridged;
import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.nat;
import static dev.sund.dataplane.nft.Rows.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Underlay;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MasqueradeLoweringTest {
  private static final long SEED = Long.getLong("sund.seed", 20260103);

  @Test
  void loweredTableCanBePrinted() {
    assertThat(
            lower(
                    List.of(
                        nat("10.244.0.0/16", "a"),
                        cluster("10.244.0.0/16", "a"),
                        bridged("10.1.0.0/16", "dbnet")))
                .toString())
        .startsWith(
            """
            table inet sund
            set inet sund bridged-v4: ipv4_addr . ipv4_addr
            set inet sund bridged-v6: ipv6_addr . ipv6_addr
            set inet sund cluster-v4: ipv4_addr
            set inet sund cluster-v6: ipv6_addr
            set inet sund nat-outgoing-v4: ipv4_addr
            set inet sund nat-outgoing-v6: ipv6_addr
            """)
        .contains(
            """
            chain inet sund postrouting
              rule reg 1 = meta mark; reg 1 = reg 1 & 0x0010f8ff ^ 0x00000000; \
            reg 1 == 0x00107853; jump learn
              rule reg 1 = meta nfproto; reg 1 == 0x02; reg 1 = 4 bytes of network header at 12; \
            reg 1 in @nat-outgoing-v4; reg 1 = 4 bytes of network header at 16; \
            reg 1 not in @cluster-v4; counter; masquerade fully-random
              rule reg 1 = meta nfproto; reg 1 == 0x0a; reg 1 = 16 bytes of network header at 8; \
            reg 1 in @nat-outgoing-v6; reg 1 = 16 bytes of network header at 24; \
            reg 1 not in @cluster-v6; counter; masquerade fully-random
              rule reg 1 = meta nfproto; reg 1 == 0x02; reg 1 = 4 bytes of network header at 12; \
            reg 9 = 4 bytes of network header at 12; reg 1 in @bridged-v4; \
            reg 1 = 4 bytes of network header at 12; reg 9 = 4 bytes of network header at 16; \
            reg 1 not in @bridged-v4; reg 1 = 1 bytes of network header at 16; \
            reg 1 not in 0xe0-0xef; counter; masquerade fully-random
              rule reg 1 = meta nfproto; reg 1 == 0x0a; reg 1 = 16 bytes of network header at 8; \
            reg 2 = 16 bytes of network header at 8; reg 1 in @bridged-v6; \
            reg 1 = 16 bytes of network header at 8; reg 2 = 16 bytes of network header at 24; \
            reg 1 not in @bridged-v6; reg 1 = 1 bytes of network header at 24; \
            reg 1 not in 0xff-0xff; counter; masquerade fully-random
            """)
        .endsWith(
            """
            element bridged-v4 10.1.0.0/16 with itself # Network:dbnet::none:0
            element cluster-v4 10.244.0.0/16 # IPPool:a::none:0
            element nat-outgoing-v4 10.244.0.0/16 # IPPool:a::none:0
            """);
  }

  @Test
  void rangesThatTouchStayApart() {
    assertThat(lower(List.of(cluster("10.0.0.0/9", "a"), cluster("10.128.0.0/9", "b"))).entries())
        .hasSize(2);
  }

  @Test
  void liftedRowsAreTheLoweredOnes() {
    RandomRows random = new RandomRows(SEED);
    for (int i = 0; i < 500; i++) {
      SortedMap<Masquerade.Key, Masquerade> rows = table(random.rows(12));
      Optional<NftContents> contents = contents(lower(rows.values()));

      assertThat(MasqueradeLift.rows(contents, rows)).as("seed %d, %d", SEED, i).isEqualTo(rows);
      assertThat(TableCheck.differences(lower(rows.values()), contents)).isEmpty();
    }
  }

  @Test
  void withoutTheProgramTheSameAddressesAreLifted() {
    RandomRows random = new RandomRows(SEED);
    for (int i = 0; i < 300; i++) {
      SortedMap<Masquerade.Key, Masquerade> rows = table(random.rows(12));
      SortedMap<Masquerade.Key, Masquerade> lifted =
          MasqueradeLift.rows(contents(lower(rows.values())), Map.of());
      assertThat(rows).containsAllEntriesOf(lifted);
      for (Masquerade row : rows.values()) {
        assertThat(lifted.values())
            .as("seed %d, %d", SEED, i)
            .anyMatch(other -> other.part() == row.part() && other.range().contains(row.range()));
      }
    }
  }

  /** The rules as the kernel would run them, beside the tracer's reading of the same rows. */
  @Test
  void packetsThatTheTracerTranslatesAreThoseThatTheRulesDo() {
    RandomRows random = new RandomRows(SEED);
    int translated = 0;
    int untouched = 0;
    for (int i = 0; i < 300; i++) {
      SortedMap<Masquerade.Key, Masquerade> rows = table(random.rows(10));
      TableImage lowered = lower(rows.values());
      Map<String, List<NftElement>> sets = new TreeMap<>();
      lowered.sets().forEach(set -> sets.put(set.name(), lowered.elementsOf(set.name())));
      NftRuleEvaluator kernel = new NftRuleEvaluator(MasqueradeLowering.rules(), sets);
      for (int j = 0; j < 10; j++) {
        Family family = random.family();
        Ip source = random.ip(family);
        Ip destination = random.ip(family);
        if (source.equals(destination)) {
          continue;
        }
        Optional<String> byTracer = traced(rows, source, destination).map(RuleId::toString);
        assertThat(kernel.masquerades(source, destination))
            .as("seed %d, %s to %s with %s", SEED, source, destination, rows.values())
            .isEqualTo(byTracer);
        if (byTracer.isPresent()) {
          translated++;
        } else {
          untouched++;
        }
      }
    }
    assertThat(translated).isGreaterThan(100);
    assertThat(untouched).isGreaterThan(100);
  }

  private static Optional<RuleId> traced(
      SortedMap<Masquerade.Key, Masquerade> rows, Ip source, Ip destination) {
    NodeName node = new NodeName("n1");
    PodKey pod = new PodKey("shop", "web");
    NodeFacts facts =
        new NodeFacts(
            List.of(
                new NodeFacts.Device(
                    "eth0",
                    1500,
                    true,
                    List.of(
                        InterfaceAddress.parse("192.0.2.1/24"),
                        InterfaceAddress.parse("2001:db8::1/64")))),
            List.of(
                new NodeFacts.HostRoute(
                    Prefix.all(Family.V4),
                    "eth0",
                    Optional.of(Ip.parse("192.0.2.254")),
                    Optional.empty(),
                    0),
                new NodeFacts.HostRoute(
                    Prefix.all(Family.V6),
                    "eth0",
                    Optional.of(Ip.parse("2001:db8::fe")),
                    Optional.empty(),
                    0)));
    SortedMap<String, LocalPod> pods = new TreeMap<>();
    pods.put(
        "sund0123456789a",
        new LocalPod(
            "sund0123456789a",
            pod,
            "uid",
            List.of(source),
            Mac.derivedFrom("x"),
            1500,
            1500,
            RuleId.of("Pod", "shop/web", "uid")));
    PacketProgram program =
        new PacketProgram(
            node,
            List.of(Ip.parse("192.0.2.1")),
            facts,
            pods,
            new TreeMap<>(),
            new TreeMap<>(),
            new TreeMap<>(),
            rows,
            new TreeMap<>(),
            new TreeMap<>());
    Trace trace =
        new PathTracer(Map.of(node, program), new Underlay(List.of(), true))
            .trace(Packet.small(new Packet.FromPod(pod), destination, Protocol.UDP, 53));
    return trace.there().stream()
        .filter(hop -> hop.stage() == Trace.Stage.MASQUERADE)
        .flatMap(hop -> hop.rule().stream())
        .findFirst();
  }

  static TableImage lower(Collection<Masquerade> rows) {
    return TableImage.of(rows, List.of(), List.of(), List.of());
  }

  /** What the kernel would hold. */
  static Optional<NftContents> contents(TableImage lowered) {
    SortedMap<String, NftSet> sets = new TreeMap<>();
    SortedMap<String, List<NftElement>> elements = new TreeMap<>();
    lowered
        .sets()
        .forEach(set -> {
          sets.put(set.name(), set);
          elements.put(set.name(), new ArrayList<>(lowered.elementsOf(set.name())));
        });
    SortedMap<String, NftChain> chains = new TreeMap<>();
    SortedMap<String, List<NftRule>> rules = new TreeMap<>();
    lowered
        .chains()
        .forEach(chain -> {
          chains.put(chain.name(), chain);
          rules.put(chain.name(), lowered.rulesOf(chain.name()));
        });
    return Optional.of(new NftContents(1, lowered.table(), chains, rules, sets, elements));
  }
}
