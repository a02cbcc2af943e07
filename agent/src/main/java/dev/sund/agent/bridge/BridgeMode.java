package dev.sund.agent.bridge;

import dev.sund.agent.cni.NetworkKind;
import dev.sund.agent.log.Log;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BridgeLinks;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.engine.hostlocal.AddressStoreException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** All parts of bridge mode of one agent, connected. */
public final class BridgeMode implements AutoCloseable {
  private final BridgeWorkers workers;
  private final HostLocal hostLocal = new HostLocal(new AddressDirectories());
  private final Records<BridgedContainer> records;
  private final PortmapPlugin portmap;
  private final TranslatedNetworks translated;
  private final Translation translation;
  private final List<NetworkKind> kinds;
  private final Log log;
  private final NetNs node;
  private List<Condition> conditions = List.of();

  /**
   * Bridge mode of a node.
   *
   * @param node the node's namespace
   * @param stateDirectory the agent's, held by it
   * @param bootId what tells this boot from others
   * @param translation the node's program
   * @param linksAreDoomed told when links wait for their deletion
   */
  public BridgeMode(
      NetNs node,
      Path stateDirectory,
      String bootId,
      Translation translation,
      Runnable linksAreDoomed,
      Log log) {
    this.node = node;
    this.workers =
        new BridgeWorkers(() -> new BridgeLinks(SocketRoutes.open(node), stateDirectory));
    this.records =
        new Records<>(stateDirectory.resolve("bridged"), bootId, BridgedContainer::parse);
    this.portmap =
        new PortmapPlugin(
            workers,
            new Records<>(stateDirectory.resolve("mapped"), bootId, PortRecord::parse),
            translation,
            InstantSource.system(),
            log);
    this.translated = new TranslatedNetworks(translation);
    this.translation = translation;
    this.log = log;
    this.kinds =
        List.of(
            new BridgeNetwork(
                workers, hostLocal, records, translated, translation, linksAreDoomed, log),
            new HostLocalPlugin(workers, hostLocal),
            portmap);
  }

  /** The plugins that it serves. */
  public List<NetworkKind> kinds() {
    return kinds;
  }

  /**
   * Takes up what an earlier agent made, before the first call: gives back what belongs to an
   * earlier boot or to a namespace that is gone.
   *
   * @throws IOException when the state directory cannot be read
   */
  public void restore() throws IOException {
    Records.Restored<BridgedContainer> restored = records.restore();
    conditions = new ArrayList<>(restored.conditions());
    conditions.addAll(portmap.restore());
    conditions.forEach(condition -> log.error("state is unreadable", "what", condition.text()));
    restored.ofEarlierBoots().forEach(this::giveBack);
    for (BridgedContainer container : records.all()) {
      if (Files.exists(container.port().namespace())) {
        translated.restore(container);
        container.onBridge().ifPresent(translation::announce);
      } else {
        records.remove(container);
        giveBack(container);
      }
    }
  }

  /** What is wrong with the records, and with the bridges that have containers. */
  public List<Condition> conditions() {
    List<Condition> all = new ArrayList<>(conditions);
    TreeSet<String> bridges = new TreeSet<>();
    records.all().forEach(container -> bridges.add(container.bridge().name()));
    if (!bridges.isEmpty()) {
      try {
        all.addAll(workers.call(links -> BridgeFilterCheck.of(node, links.filters(bridges))));
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        log.warn("the bridges' settings cannot be read", "error", String.valueOf(e.getMessage()));
      }
    }
    return all;
  }

  /** How many containers are on bridges. */
  public int containers() {
    return records.all().size();
  }

  /** Ends the threads; the kernel's state stays as it is. */
  @Override
  public void close() throws InterruptedException {
    workers.close();
  }

  private void giveBack(BridgedContainer container) {
    if (container.dataDir().isEmpty()) {
      return;
    }
    try {
      hostLocal.release(container.dataDir().get(), container.network(), container.owner());
      log.info("addresses of a container that is gone are given back", "key", container.key());
    } catch (AddressStoreException e) {
      log.error("addresses are not given back", "key", container.key(), "error", e.getMessage());
    }
  }
}
