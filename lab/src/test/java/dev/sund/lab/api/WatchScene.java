package dev.sund.lab.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.watch.ClusterWatch;
import dev.sund.kube.watch.WatchSettings;
import dev.sund.model.Condition;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A server on a loopback port and a watch of it that remembers what it was told. */
final class WatchScene implements AutoCloseable {
  static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_800_000_000L));

  static final WatchSettings QUICK =
      new WatchSettings(
          500,
          Duration.ofSeconds(30),
          Duration.ofSeconds(60),
          Duration.ofMillis(10),
          Duration.ofMillis(100),
          Duration.ofMillis(50));

  LabApi api = new LabApi(CLOCK);
  private final int port;
  private Optional<ClusterWatch> watch = Optional.empty();
  private final List<ServerSocket> listeners = new ArrayList<>();
  private final List<ClusterEvent> events = new ArrayList<>();
  private final List<Optional<Condition>> reachability = new ArrayList<>();

  WatchScene() {
    port = serve(0);
    api.token("secret", Subject.ADMIN);
  }

  private int serve(int wantedPort) {
    try {
      ServerSocket socket = new ServerSocket();
      socket.setReuseAddress(true);
      socket.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort));
      listeners.add(socket);
      api.serve(socket);
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Ends the server and begins another, empty one on the same port. */
  void restart(long firstVersion) {
    api.close();
    api = new LabApi(CLOCK, firstVersion);
    api.token("secret", Subject.ADMIN);
  }

  void serveAgain() {
    serve(port);
  }

  int port() {
    return port;
  }

  /** Lets the same server listen at one more port. */
  int serveToo() {
    return serve(0);
  }

  /** Closes the first port, and the connections that came by any. */
  void stopFirst() {
    try {
      listeners.getFirst().close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    api.dropConnections();
  }

  /** Takes connections at the server's port and closes them, this often; then nobody listens. */
  int connectionsRefused(int count) {
    stopFirst();
    int taken = 0;
    try (ServerSocket refusing = boundAgain()) {
      for (; taken < count; taken++) {
        refusing.accept().close();
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return taken;
  }

  /** The port is free a moment after its listener is closed: a thread may still be accepting. */
  private ServerSocket boundAgain() throws IOException {
    for (int tries = 0; ; tries++) {
      ServerSocket socket = new ServerSocket();
      try {
        socket.setReuseAddress(true);
        socket.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return socket;
      } catch (java.net.BindException e) {
        socket.close();
        if (tries == 100) {
          throw e;
        }
        LockSupport.parkNanos(20_000_000);
      }
    }
  }

  WatchScene watchBoth(int secondPort) {
    return watch(
        QUICK,
        ApiServer.plain("127.0.0.1", port, "secret")
            .at(
                List.of(
                    new ApiServer.Endpoint("127.0.0.1", port),
                    new ApiServer.Endpoint("127.0.0.1", secondPort))));
  }

  WatchScene watch() {
    return watch(QUICK, "secret");
  }

  WatchScene watch(WatchSettings settings, String token) {
    return watch(settings, ApiServer.plain("127.0.0.1", port, token));
  }

  private WatchScene watch(WatchSettings settings, ApiServer server) {
    watch =
        Optional.of(
            ClusterWatch.start(
                server,
                ClusterWatch.Means.ordinary().with(settings),
                event -> {
                  synchronized (events) {
                    events.add(event);
                  }
                },
                condition -> {
                  synchronized (events) {
                    reachability.add(condition);
                  }
                }));
    return this;
  }

  List<ClusterEvent> events() {
    synchronized (events) {
      return List.copyOf(events);
    }
  }

  List<Optional<Condition>> reachability() {
    synchronized (events) {
      return List.copyOf(reachability);
    }
  }

  WatchScene synced() {
    until(() -> count(ClusterEvent.Synced.class) == 1);
    return this;
  }

  long count(Class<? extends ClusterEvent> kind) {
    return events().stream().filter(kind::isInstance).count();
  }

  /** What is true now, as lines: every object whose last word was not that it is gone. */
  List<String> state() {
    TreeMap<String, String> state = new TreeMap<>();
    for (ClusterEvent event : events()) {
      String key = event.key().toString();
      switch (event) {
        case ClusterEvent.NodeSeen(Node node) -> state.put(key, key + " " + node.addresses());
        case ClusterEvent.PodSeen(Pod pod) -> state.put(key, key + " " + pod.ips());
        case ClusterEvent.PoolSeen(var pool) ->
            state.put(key, key + " " + pool.cidr() + " " + pool.vxlanMode());
        case ClusterEvent.NamespaceSeen _ -> state.put(key, key);
        case ClusterEvent.ReservationSeen(_, var ranges) -> state.put(key, key + " " + ranges);
        case ClusterEvent.BlockSeen(var block) -> state.put(key, key + " " + block.node());
        case ClusterEvent.LayerSeen(var layer) -> state.put(key, key + " " + layer.rank());
        case ClusterEvent.ServiceSeen(var service) ->
            state.put(key, key + " " + service.clusterIps());
        case ClusterEvent.SliceSeen(var slice) ->
            state.put(
                key,
                key
                    + " of "
                    + slice.service()
                    + " "
                    + slice.endpoints().stream().map(endpoint -> endpoint.address()).toList());
        case ClusterEvent.PolicySeen(var policy, var conditions) ->
            state.put(key, key + " " + policy.generation() + " " + conditions);
        case ClusterEvent.NodeGone _,
            ClusterEvent.PodGone _,
            ClusterEvent.PoolGone _,
            ClusterEvent.LayerGone _,
            ClusterEvent.BlockGone _,
            ClusterEvent.ReservationGone _,
            ClusterEvent.ServiceGone _,
            ClusterEvent.SliceGone _,
            ClusterEvent.PolicyGone _,
            ClusterEvent.ServicesSet _,
            ClusterEvent.ConntrackSet _,
            ClusterEvent.StrictSet _,
            ClusterEvent.NamespaceGone _ ->
            state.remove(key);
        case ClusterEvent.Refused refused ->
            state.merge(key, key + " refused", (was, now) -> was + " (refused now)");
        case ClusterEvent.Synced _,
            ClusterEvent.Attached _,
            ClusterEvent.Detached _,
            ClusterEvent.NetworkSeen _,
            ClusterEvent.NetworkGone _,
            ClusterEvent.TunnelsAddressed _,
            ClusterEvent.PortsSeen _,
            ClusterEvent.PortsGone _,
            ClusterEvent.BridgeJoined _,
            ClusterEvent.BridgeLeft _,
            ClusterEvent.PoliciesTold _,
            ClusterEvent.FactsSeen _ -> {}
      }
    }
    return List.copyOf(state.values());
  }

  void untilState(String... lines) {
    until(() -> state().equals(List.of(lines)));
  }

  void until(BooleanSupplier holds) {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time; state is %s", state()).isLessThan(end);
      try {
        Thread.sleep(2);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Override
  public void close() {
    watch.ifPresent(ClusterWatch::close);
    api.close();
  }
}
