package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.testing.FakeRoutes;
import dev.sund.dataplane.testing.Programs;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.model.NodeName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code lift(lower(p)) = p}, whatever was in the kernel before. */
class LiftTest {
  private static final PacketProgram EMPTY = PacketProgram.empty(new NodeName("n1"));

  @Test
  void whatIsLoweredToAFakeKernelLiftsToTheSame() throws KernelException {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    for (int round = 0; round < rounds(200); round++) {
      FakeRoutes kernel = new FakeRoutes();
      kernel.device("eth0");
      walk(
          new Random(seed + round),
          "seed " + (seed + round),
          kernel,
          pod -> {
            Path path = Path.of("/run/netns/" + pod.device());
            kernel.namespace(path);
            return path;
          });
    }
  }

  @Test
  @Tag("netns")
  void whatIsLoweredToTheKernelLiftsToTheSame() throws KernelException {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    for (int round = 0; round < rounds(100); round++) {
      try (Testbed bed = Testbed.of(0, IpPool.VxlanMode.ALWAYS)) {
        NetNs node = bed.addNode().ns();
        Map<String, Path> places = new HashMap<>();
        try (SocketRoutes kernel = SocketRoutes.open(node)) {
          walk(
              new Random(seed + round),
              "seed " + (seed + round),
              kernel,
              pod -> places.computeIfAbsent(pod.device(), device -> bed.namespace(device).path()));
        }
      }
    }
  }

  /** A few random programs after each other, as one agent would have them. */
  private static void walk(
      Random random, String seed, KernelRoutes kernel, Function<LocalPod, Path> namespace)
      throws KernelException {
    TunnelDriver tunnels = new TunnelDriver(kernel);
    PodDriver pods = new PodDriver(kernel);
    try (Dataplane dataplane = new Dataplane(List.of(tunnels, pods, new RouteDriver(kernel)))) {
      dataplane.resync();
      dataplane.allowSweep();
      PacketProgram before = EMPTY;
      Map<String, Path> places = new HashMap<>();
      for (int step = 0; step < 4; step++) {
        PacketProgram program = Programs.random(random, 5);
        for (LocalPod pod : program.localPods().values()) {
          if (!places.containsKey(pod.device())) {
            places.put(pod.device(), namespace.apply(pod));
          }
          pods.place(pod.device(), new PodDriver.Place(places.get(pod.device()), "eth0"));
        }
        dataplane.want(Programs.between(before, program));
        settle(dataplane, seed);

        NodeReading reading =
            NodeReading.read(
                kernel, new NoTable(), new NoTable(), new ArrayList<>(places.values()));
        PacketProgram lifted = Programs.withoutFacts(Lift.program(reading, program));
        String when = seed + " step " + step;
        assertThat(lifted.localPods()).as(when).isEqualTo(program.localPods());
        assertThat(lifted.routes()).as(when).isEqualTo(program.routes());
        assertThat(lifted.tunnels()).as(when).isEqualTo(program.tunnels());
        assertThat(lifted.tunnelPeers()).as(when).isEqualTo(program.tunnelPeers());
        assertThat(lifted).as(when).isEqualTo(program);
        assertThat(Verify.compare(reading, program).drift())
            .as(when)
            .allMatch(condition -> condition.object().toString().startsWith("nft table inet sund"));
        dataplane.resync();
        assertThat(dataplane.pending()).as("%s step %d, after a resync", seed, step).isZero();
        before = program;
      }
    }
  }

  private static void settle(Dataplane dataplane, String seed) {
    for (int i = 0; i < 10; i++) {
      ApplyReport report = dataplane.apply(7);
      assertThat(report.failed()).as(seed).isEmpty();
      if (dataplane.pending() == 0) {
        return;
      }
    }
    throw new AssertionError("never settles, " + seed);
  }

  private static int rounds(int all) {
    return Boolean.getBoolean("sund.long") ? all : all / 10;
  }

  /** No nf_tables: what translates is tested elsewhere. */
  private static final class NoTable implements NftPort {
    @Override
    public int generation() {
      return 1;
    }

    @Override
    public List<NftElement> elements(String set) {
      return List.of();
    }

    @Override
    public Optional<NftContents> contents() {
      return Optional.empty();
    }

    @Override
    public Commit commit(List<NftOp> ops) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Commit commitAt(int generation, List<NftOp> ops) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }
}
