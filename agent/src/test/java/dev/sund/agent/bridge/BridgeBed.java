package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniDispatch;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.dataplane.Reaper;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;

/** A node with bridge mode alone, called without a shim. */
final class BridgeBed implements AutoCloseable {
  final NetNs node;
  final Map<String, SortedSet<Prefix>> translated = new TreeMap<>();
  final Map<String, MappedContainer> opened = new TreeMap<>();
  final Map<String, PortOnBridge> joined = new TreeMap<>();
  private final BridgeMode mode;
  private final CniDispatch dispatch;
  private final Reaper reaper;

  BridgeBed(TestNetns net, String label, Path directory) throws KernelException {
    this(net.create(label), directory);
  }

  BridgeBed(NetNs node, Path directory) throws KernelException {
    this.node = node;
    this.reaper = new Reaper(SocketRoutes.open(node));
    Translation translation =
        new Translation() {
          @Override
          public void translate(String network, SortedSet<Prefix> subnets) throws CniException {
            announce(network, subnets);
          }

          @Override
          public void announce(String network, SortedSet<Prefix> subnets) {
            translated.put(network, subnets);
          }

          @Override
          public void open(MappedContainer container) {
            announce(container);
          }

          @Override
          public void join(PortOnBridge port) {
            joined.put(port.key(), port);
          }

          @Override
          public void announce(PortOnBridge port) {
            joined.put(port.key(), port);
          }

          @Override
          public void leave(String container) {
            joined.remove(container);
          }

          @Override
          public void announce(MappedContainer container) {
            opened.put(container.key(), container);
          }

          @Override
          public void shut(String container) {
            opened.remove(container);
          }
        };
    this.mode =
        new BridgeMode(
            node,
            directory,
            "boot-1",
            translation,
            () -> {},
            LogSink.toStandardError("test", LogLevel.ERROR).log("bridge"));
    try {
      mode.restore();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    this.dispatch = new CniDispatch(node, mode.kinds());
  }

  Outcome call(Call call) {
    return call.serve(dispatch);
  }

  /** Deletes the links that wait for it, as the agent's reaper does. */
  void reap() throws KernelException {
    reaper.reap();
  }

  int containers() {
    return mode.containers();
  }

  @Override
  public void close() {
    try {
      mode.close();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      reaper.close();
    }
  }
}
