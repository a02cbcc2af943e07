package dev.sund.agent.apply;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.FactsReader;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.Reaper;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.ForwardDriver;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.OwnCommits;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.dataplane.probe.KernelProbe;
import dev.sund.dataplane.xtables.LegacyForwardDriver;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Marks;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;

/** Everything of an agent that holds a socket to a node's kernel. */
public final class NodeKernel implements AutoCloseable {
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final NetNs namespace;
  private final Log log;
  private final DriftFilter filter = new DriftFilter();
  private final SocketRoutes factsRoutes;
  private final Dataplane dataplane;
  private final KernelDrivers drivers;
  private final ReaperThread reaper;
  private final LegacyForwardDriver legacy;

  /** The sockets by which the drivers change nf_tables. */
  private final Set<Integer> nftPorts = ConcurrentHashMap.newKeySet();

  private NodeKernel(
      NetNs namespace, Path stateDir, boolean mayRemoveStrays, AgentMetrics metrics, Log log)
      throws KernelException {
    this.namespace = namespace;
    this.log = log;
    boolean complete = false;
    try {
      FailPoint failPoint = FailPoint.ofProperty();
      SocketRoutes routes = SocketRoutes.open(namespace, failPoint);
      opened.push(routes);
      this.factsRoutes = SocketRoutes.open(namespace);
      opened.push(factsRoutes);
      this.legacy = LegacyForwardDriver.open(namespace);
      OwnCommits commits = new OwnCommits();
      NftSocket first = nftSocket();
      removeProbe(namespace, first, log);
      this.dataplane =
          Dataplane.of(
              routes,
              stateDir,
              new NftDriver(NftPort.over(first), failPoint, commits),
              new PolicyDriver(NftPort.keepingPolicies(nftSocket()), failPoint, commits),
              new BridgeTableDriver(NftPort.keepingBridges(nftSocket()), failPoint, commits),
              new ForwardDriver(NftPort.over(nftSocket())),
              legacy);
      opened.push(dataplane);
      this.reaper = new ReaperThread(new Reaper(SocketRoutes.open(namespace)), log);
      opened.push(reaper);
      reaper.start();
      ConnectionThread connections = ConnectionThread.start(namespace, metrics, log);
      opened.push(connections);
      this.drivers =
          new KernelDrivers(dataplane, filter, reaper::call, connections::call, mayRemoveStrays);
      drivers.tellPolicyWork(metrics.policy::work);
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  private NftSocket nftSocket() throws KernelException {
    NftSocket socket = NftSocket.open(namespace);
    nftPorts.add(socket.port());
    return socket;
  }

  /**
   * Opens the drivers of a node.
   *
   * @param namespace the node's
   * @param stateDir where changed sysctls are recorded
   * @param mayRemoveStrays whether it is known what was attached
   * @param metrics where deleted connections are counted
   */
  public static NodeKernel open(
      NetNs namespace, Path stateDir, boolean mayRemoveStrays, AgentMetrics metrics, Log log)
      throws KernelException {
    return new NodeKernel(namespace, stateDir, mayRemoveStrays, metrics, log);
  }

  /**
   * What a probe of an agent left behind that was killed; before Linux 5.12 the kernel keeps it.
   */
  private static void removeProbe(NetNs namespace, NftSocket nft, Log log) {
    try {
      if (nft.table(NftFamily.INET, Marks.PROBE_TABLE).isPresent()
          && KernelProbe.removeLeft(namespace, false)) {
        log.info("table of a probe removed", "table", "inet " + Marks.PROBE_TABLE);
      }
    } catch (KernelException e) {
      log.warn("table of a probe stays", "table", "inet " + Marks.PROBE_TABLE, "error", e);
    }
  }

  /**
   * Tells of pods' attachments whose link was made, or went up: what hung on the link is gone.
   *
   * @param listener called with the attachment's key on the data plane's thread; must not wait
   */
  public void tellLinks(Consumer<String> listener) {
    drivers.tellLinks(listener);
  }

  /** The drivers, for the data plane's thread. */
  public KernelSide drivers() {
    return drivers;
  }

  /** Has the links that wait for it deleted. Any thread. */
  public void reap() {
    reaper.call();
  }

  /** What the node has that Sund did not make. One thread at a time, another than the drivers'. */
  public NodeFacts facts() throws KernelException {
    dataplane.othersChanged();
    return new FactsReader(factsRoutes).read();
  }

  /** The names of the node's links. From any thread, also a virtual one. */
  public Set<String> linkNames() throws KernelException, InterruptedException {
    FutureTask<Set<String>> reading = new FutureTask<>(this::readLinkNames);
    Thread.ofPlatform().name(Marks.THREAD_PREFIX + "links").daemon(true).start(reading);
    try {
      return reading.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KernelException failure) {
        throw failure;
      }
      throw new AssertionError("reading links throws nothing else", e);
    }
  }

  private Set<String> readLinkNames() throws KernelException {
    try (SocketRoutes routes = SocketRoutes.open(namespace)) {
      Set<String> names = new TreeSet<>();
      routes.links().forEach(link -> names.add(link.name()));
      return names;
    }
  }

  /** Begins to listen for what others change; {@code listener} is called on other threads. */
  public AutoCloseable listen(DriftMonitor.Listener listener) throws KernelException {
    DriftMonitor monitor = DriftMonitor.open(namespace, filter, nftPorts::contains, listener, log);
    monitor.start(factsRoutes.links());
    LegacyWatch watch = LegacyWatch.start(namespace, legacy, listener, log);
    return () -> {
      watch.close();
      monitor.close();
    };
  }

  /** Closes the sockets; the kernel's state stays as it is. */
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        log.warn("not closed in order", "error", e);
      }
    }
  }
}
