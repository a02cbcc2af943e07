package dev.sund.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Property;
import dev.sund.engine.Scene;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.engine.trace.Trace.Notice;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What holds of every trace, whatever the cluster. */
class TracePropertyTest {
  /** A cluster and packets in it. */
  private record World(
      Map<NodeName, PacketProgram> programs,
      Underlay underlay,
      PathTracer tracer,
      List<Packet> packets) {
    /** The world for each packet alone. */
    List<World> smaller() {
      return packets.size() == 1
          ? List.of()
          : packets.stream()
              .map(packet -> new World(programs, underlay, tracer, List.of(packet)))
              .toList();
    }
  }

  @Test
  void inASoundClusterEveryPodReachesEveryPodAsItself() {
    Property.forAll(
        300,
        random -> world(random, false),
        World::smaller,
        world -> {
          for (Packet packet : world.packets()) {
            Trace trace = world.tracer().trace(packet);
            if (packet.origin() instanceof FromPod
                && trace.arrival().orElse(null) instanceof AtPod) {
              assertThat(trace.sourceSeen().map(Ip::toString).orElse(""))
                  .startsWith(packet.destination().toString().contains(":") ? "fd00" : "10.244");
            }
            if (toPod(packet)) {
              assertThat(trace.delivered()).as(trace.toString()).isTrue();
              assertThat(trace.answered()).as(trace.toString()).isTrue();
            }
          }
        });
  }

  @Test
  void aPathBeginsAtTheSenderAndEndsWithTheReceiver() {
    Property.forAll(
        300,
        random -> world(random, true),
        World::smaller,
        world -> {
          for (Packet packet : world.packets()) {
            Trace trace = world.tracer().trace(packet);
            assertThat(trace.there()).isNotEmpty();
            if (trace.delivered()) {
              List<Step> path = trace.path();
              assertThat(path.getFirst().machine()).isEqualTo(trace.there().getFirst().machine());
              assertThat(path.getLast().machine()).isEqualTo(trace.there().getLast().machine());
              assertThat(path.getLast().carriage()).isEqualTo(Trace.Carriage.LOCAL);
              assertThat(path).extracting(Step::machine).doesNotHaveDuplicates();
            } else {
              assertThat(trace.arrival()).isEmpty();
              assertThat(trace.pathMtu()).isZero();
              assertThat(trace.answered()).isFalse();
              assertThat(trace.there().getLast().text()).contains(":");
            }
          }
        });
  }

  @Test
  void theTimeToLiveRunsOutAtEachForwarderInTurn() {
    Property.forAll(
        300,
        random -> world(random, true),
        World::smaller,
        world -> {
          for (Packet packet : world.packets()) {
            Trace whole = world.tracer().trace(packet);
            if (!whole.delivered()) {
              continue;
            }
            List<String> forwarders =
                whole.there().stream().filter(Hop::decrements).map(Hop::machine).toList();
            for (int ttl = 1; ttl <= forwarders.size(); ttl++) {
              Trace limited = world.tracer().trace(packet.limited(ttl));
              assertThat(limited.outcome()).isEqualTo(Reason.TTL_EXPIRED);
              assertThat(limited.notice().map(Notice::machine)).contains(forwarders.get(ttl - 1));
            }
            assertThat(world.tracer().trace(packet.limited(forwarders.size() + 1)).delivered())
                .isTrue();
          }
        });
  }

  @Test
  void thePathsMtuArrivesAndOneByteMoreDoesNot() {
    Property.forAll(
        300,
        random -> world(random, true),
        World::smaller,
        world -> {
          for (Packet packet : world.packets()) {
            Trace small = world.tracer().trace(packet);
            if (small.delivered() && small.pathMtu() < 65535) {
              assertThat(world.tracer().trace(packet.probing(small.pathMtu())).delivered())
                  .isTrue();
              Trace larger = world.tracer().trace(packet.probing(small.pathMtu() + 1));
              assertThat(larger.outcome())
                  .as(larger.toString())
                  .isIn(Reason.PACKET_TOO_BIG, Reason.MTU_BLACK_HOLE);
              assertThat(larger.told()).isEqualTo(larger.outcome() == Reason.PACKET_TOO_BIG);
            }
          }
        });
  }

  private static boolean toPod(Packet packet) {
    String to = packet.destination().toString();
    return !(packet.origin() instanceof FromOutside)
        && (to.startsWith("10.244") || to.startsWith("fd00"));
  }

  /**
   * @param faulty whether links may be small, cut, and pools may leave nodes unreachable
   */
  private static World world(Random random, boolean faulty) {
    Scene scene = new Scene();
    int nodes = 2 + random.nextInt(4);
    List<Origin> origins = new ArrayList<>();
    List<String> addresses = new ArrayList<>(List.of("192.168.3.99", "2001:db8:3::99"));
    origins.add(new FromOutside("outside"));
    for (int i = 1; i <= nodes; i++) {
      String segment = random.nextBoolean() ? "a" : "b";
      scene.node("n" + i, segment);
      origins.add(new FromNode(new NodeName("n" + i)));
      int subnet = segment.equals("a") ? 1 : 2;
      addresses.add("192.168." + subnet + "." + (10 + i));
      if (faulty && random.nextInt(3) == 0) {
        scene.mtu("n" + i + "/" + segment, 1350 + random.nextInt(150));
      }
      if (faulty && random.nextInt(8) == 0) {
        scene.cut("n" + i + "/" + segment);
      }
      for (int pod = 0; pod < random.nextInt(3); pod++) {
        String v4 = "10.244." + i + "." + (4 + pod);
        String v6 = "fd00:" + i + "::" + (4 + pod);
        scene.pod("shop/p" + i + pod, "n" + i, v4, v6);
        origins.add(new FromPod(new PodKey("shop", "p" + i + pod)));
        addresses.add(v4);
        addresses.add(v6);
      }
    }
    if (faulty) {
      scene.mtu("router/b", 1300 + random.nextInt(200));
      addresses.addAll(List.of("10.244.1.99", "8.8.8.8", "192.168.1.77"));
    }
    if (random.nextBoolean()) {
      VxlanMode[] modes = VxlanMode.values();
      VxlanMode mode = faulty ? modes[random.nextInt(3)] : modes[1 + random.nextInt(2)];
      if (random.nextInt(3) == 0) {
        scene.ipip("v4", "10.244.0.0/16", IpipMode.values()[1 + random.nextInt(2)]);
      } else {
        scene.pool("v4", "10.244.0.0/16", mode, random.nextBoolean());
      }
    }
    List<Packet> packets = new ArrayList<>();
    for (Origin origin : origins) {
      for (String to : addresses) {
        packets.add(
            new Packet(origin, Optional.empty(), Ip.parse(to), Protocol.UDP, 53, 100, true, 64));
      }
    }
    Map<NodeName, PacketProgram> programs = scene.programs();
    Underlay underlay = scene.underlay();
    return new World(programs, underlay, new PathTracer(programs, underlay), packets);
  }
}
