package dev.sund.bench.scale;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.apply.Mailbox;
import dev.sund.agent.apply.Timing;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.RouteDriver;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.TunnelDriver;
import dev.sund.dataplane.rows.Lowering;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * A thousand nodes on other subnets appear at once: from their events to a neighbour, a forwarding
 * entry and a route each in the kernel. Beside it {@code ip -batch} and {@code bridge -batch} with
 * the same entries as a file. Ours compiles, lowers and compares too; theirs only writes.
 */
public final class RemoteNodesBenchmark implements Benchmark {
  private static final int NODES = 1_000;

  private final NetNs namespace = NetNs.ofProcess();

  @Override
  public String name() {
    return "remote-nodes";
  }

  @Override
  public String what() {
    return "1,000 remote nodes, events to kernel, beside ip -batch and bridge -batch";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (RouteSocket socket = RouteSocket.open(namespace)) {
      if (socket.links().size() != 1) {
        throw new IllegalStateException(
            "this benchmark writes a thousand routes and so runs only where lo is the only device");
      }
      for (Family family : Family.values()) {
        rows.addAll(run(bench, family, socket));
      }
    }
    return rows;
  }

  private List<Row> run(Bench bench, Family family, RouteSocket socket) throws Exception {
    RemoteCluster cluster = new RemoteCluster(family, NODES);
    List<Double> oursMillis = new ArrayList<>();
    underlay(socket, cluster);
    Path folder = Files.createTempDirectory("sund-bench");
    try {
      Path ipBatch = folder.resolve("ip.batch");
      Path bridgeBatch = folder.resolve("bridge.batch");
      writeBatches(cluster.program(), ipBatch, bridgeBatch);
      TreeSet<String> expected =
          state(socket, () -> byPrograms(cluster, socket, ipBatch, bridgeBatch));
      TreeSet<String> made = state(socket, () -> oursMillis.add(byDrivers(cluster, socket)));
      requireSame(made, expected);
      bench.say(family.label() + ": both leave the same " + NODES + " x 3 entries");
      Pairs pairs =
          Pairs.run(
              bench.pairs(),
              () -> clean(socket, () -> byDrivers(cluster, socket)),
              () -> clean(socket, () -> byPrograms(cluster, socket, ipBatch, bridgeBatch)));
      return List.of(
          Row.compared(
              NODES + " remote nodes " + family.label(),
              "ms",
              pairs,
              Target.ratioAtMost(1.0),
              "mailbox to kernel: compile, lower, compare, write; theirs is writing a file's lines"),
          Row.figure(
              NODES + " remote nodes " + family.label() + ", first time",
              "ms",
              Estimate.single(oursMillis.getFirst()),
              Optional.empty(),
              "the first time in this process: classes are loaded, nothing is compiled"));
    } finally {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
      socket.apply(new RouteBatch().deleteLink(RemoteCluster.UNDERLAY));
    }
  }

  /**
   * Milliseconds from the first node's event to the last answer of the kernel, by the agent's own
   * two threads.
   */
  private double byDrivers(RemoteCluster cluster, RouteSocket socket) throws Exception {
    LogSink sink = LogSink.toStandardError("", LogLevel.ERROR);
    try (SocketRoutes routes = SocketRoutes.open(namespace);
        Dataplane dataplane =
            new Dataplane(List.of(new TunnelDriver(routes), new RouteDriver(routes)))) {
      FabricKernel kernel = new FabricKernel(dataplane);
      ProgramCompiler compiler = new ProgramCompiler(RemoteCluster.SELF, FabricSettings.DEFAULT);
      try (ApplyLoop loop =
          new ApplyLoop(
              new Mailbox(), compiler, kernel, Timing.DEFAULT, new AgentMetrics(), sink)) {
        kernel.expect(1);
        cluster.before().forEach(loop.mailbox()::put);
        loop.start();
        kernel.await();
        Checks.that(
            socket.link(cluster.tunnel()).isPresent(), "the tunnel stands before its peers come");
        Thread.sleep(Timing.DEFAULT.minimum());
        kernel.expect(3 * NODES);
        long began = System.nanoTime();
        cluster.remotes().forEach(loop.mailbox()::put);
        return (kernel.await() - began) / 1e6;
      }
    }
  }

  /** Milliseconds that the two programs take, one after the other. */
  private static double byPrograms(
      RemoteCluster cluster, RouteSocket socket, Path ipBatch, Path bridgeBatch)
      throws IOException, InterruptedException {
    cluster.makeTunnel(socket);
    long began = System.nanoTime();
    execute("bridge", "-batch", bridgeBatch.toString());
    execute("ip", "-batch", ipBatch.toString());
    return (System.nanoTime() - began) / 1e6;
  }

  private static void execute(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(Redirect.DISCARD)
            .redirectError(Redirect.INHERIT)
            .start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + " took longer than a minute");
    }
    Checks.that(process.exitValue() == 0, String.join(" ", command) + " succeeds");
  }

  private static void writeBatches(PacketProgram program, Path ipBatch, Path bridgeBatch)
      throws IOException {
    StringBuilder ip = new StringBuilder();
    StringBuilder bridge = new StringBuilder();
    for (TunnelPeer peer : program.tunnelPeers().values()) {
      bridge.append(
          "fdb add %s dev %s dst %s self permanent%n"
              .formatted(peer.mac(), peer.device(), peer.underlay()));
      ip.append(
          "neigh add %s lladdr %s dev %s nud permanent%n"
              .formatted(peer.nextHop(), peer.mac(), peer.device()));
    }
    for (Route route : program.routes().values()) {
      if (route.way() instanceof Route.ByTunnel(Ip nextHop, String device)) {
        ip.append(
            "route add %s via %s dev %s %sproto %d metric %d mtu %d%s%n"
                .formatted(
                    route.destination(),
                    nextHop,
                    device,
                    nextHop.isLinkLocal() ? "" : "onlink ", // a link-local one always is
                    Marks.ROUTE_PROTOCOL,
                    Lowering.metric(route.destination()),
                    route.mtu(),
                    route.source().map(source -> " src " + source).orElse("")));
      }
    }
    Files.writeString(ipBatch, ip, StandardCharsets.UTF_8);
    Files.writeString(bridgeBatch, bridge, StandardCharsets.UTF_8);
  }

  /** What a step leaves in the kernel, as lines; nothing is left afterwards. */
  private static TreeSet<String> state(RouteSocket socket, Step step) throws Exception {
    RemoteCluster.deleteTunnels(socket);
    step.run();
    TreeSet<String> lines = new TreeSet<>();
    for (Family family : Family.values()) {
      socket
          .routes(RouteFilter.main(family).withProtocol(Marks.ROUTE_PROTOCOL))
          .forEach(route -> {
            if (route.gateway().isPresent()) {
              lines.add(withoutNumber(route.withoutState().toString()));
            }
          });
      socket
          .neighbours(family, 0)
          .forEach(neighbour -> {
            if (neighbour.isPermanent()) {
              lines.add(withoutNumber(neighbour.toString()));
            }
          });
    }
    for (String tunnel : List.of(Marks.VXLAN_V4, Marks.VXLAN_V6)) {
      var link = socket.link(tunnel);
      if (link.isPresent()) {
        socket.fdb(link.get().index()).forEach(entry -> lines.add(withoutNumber(entry.toString())));
      }
    }
    Checks.that(lines.size() >= 3 * NODES, "a thousand nodes' entries: " + lines.size());
    RemoteCluster.deleteTunnels(socket);
    return lines;
  }

  private static void requireSame(TreeSet<String> made, TreeSet<String> expected) {
    TreeSet<String> ours = new TreeSet<>(made);
    ours.removeAll(expected);
    TreeSet<String> theirs = new TreeSet<>(expected);
    theirs.removeAll(made);
    if (!ours.isEmpty() || !theirs.isEmpty()) {
      throw new IllegalStateException(
          "not the same in the kernel: ours has "
              + ours.size()
              + " others, such as "
              + ours.stream().findFirst()
              + "; theirs has "
              + theirs.size()
              + ", such as "
              + theirs.stream().findFirst());
    }
  }

  private static String withoutNumber(String line) {
    return line.replaceAll("dev #[0-9]+", "dev");
  }

  private interface Step {
    void run() throws Exception;
  }

  private interface Timed {
    double run() throws Exception;
  }

  private static double clean(RouteSocket socket, Timed timed) throws Exception {
    double millis = timed.run();
    RemoteCluster.deleteTunnels(socket);
    return millis;
  }

  private static void underlay(RouteSocket socket, RemoteCluster cluster) throws KernelException {
    RemoteCluster.applyAll(
        socket,
        new RouteBatch()
            .createLink(
                RemoteCluster.UNDERLAY,
                new LinkKind.Veth("under1", Optional.empty(), 0, 0, -1),
                new LinkSetting.Up(true))
            .up("under1"));
    int index = socket.link(RemoteCluster.UNDERLAY).orElseThrow().index();
    RemoteCluster.applyAll(
        socket, new RouteBatch().put(Address.of(index, cluster.underlayAddress())));
  }
}
