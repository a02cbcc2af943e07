package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.CniRequest;
import dev.sund.agent.cni.CniResult;
import dev.sund.agent.cni.NetworkKind;
import dev.sund.agent.log.Log;
import dev.sund.agent.state.Records;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.MappedContainer.Place;
import dev.sund.engine.cluster.MappedContainer.Sources;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Ports of the node that lead to a container, plugin {@code portmap}: chained behind a plugin that
 * made the container's network, as the reference plugin of this name. Ports are rows of the node's
 * program, as those of pods are.
 *
 * <p>Of two containers that want one port the later has it; a pod of the cluster goes before both.
 */
final class PortmapPlugin implements NetworkKind {
  private final BridgeWorkers workers;
  private final Records<PortRecord> records;
  private final Translation program;
  private final InstantSource clock;
  private final Log log;

  PortmapPlugin(
      BridgeWorkers workers,
      Records<PortRecord> records,
      Translation program,
      InstantSource clock,
      Log log) {
    this.workers = workers;
    this.records = records;
    this.program = program;
    this.clock = clock;
    this.log = log;
  }

  /**
   * Takes up what an earlier agent opened, before the first call.
   *
   * @return what cannot be read
   */
  List<Condition> restore() throws IOException {
    Records.Restored<PortRecord> restored = records.restore();
    for (PortRecord record : records.all()) {
      if (Files.exists(record.namespace())) {
        program.announce(record.container());
      } else {
        records.remove(record);
        log.info("ports of a container that is gone are shut", "key", record.key());
      }
    }
    return restored.conditions();
  }

  @Override
  public Set<String> types() {
    return Set.of(PortmapConfig.TYPE);
  }

  @Override
  public CniResult add(CniRequest request) throws CniException, InterruptedException {
    PortmapConfig config = PortmapConfig.parse(request);
    CniResult previous = PortmapConfig.previous(request);
    if (config.mappings().isEmpty()) {
      return previous;
    }
    AddressOwner owner = owner(request);
    List<Place> places = Failures.told(() -> withGatewaysOfTheNode(places(previous)));
    MappedContainer container =
        new MappedContainer(
            owner.toString(),
            request.config().name(),
            places,
            config.mappings(),
            config.sources(),
            Math.max(0, clock.millis()));
    PortRecord record = new PortRecord(owner, Path.of(request.netns()), container);
    boolean kept = false;
    try {
      Failures.told(() -> {
        records.put(record);
        program.open(container);
        if (asksAtLoopback(container)) {
          letLoopbackOut(previous);
        }
        return true;
      });
      kept = true;
      return previous;
    } finally {
      if (!kept) {
        shut(record);
      }
    }
  }

  /** IPv6 has no way for packets of the loopback to leave the node. */
  private static boolean asksAtLoopback(MappedContainer container) {
    return container.sources() != Sources.NONE
        && container.places().stream().anyMatch(place -> place.address().ip().family() == Family.V4)
        && container.mappings().stream()
            .map(PortMapping::hostIp)
            .anyMatch(at ->
                at.isEmpty()
                    || (at.get().family() == Family.V4
                        && (at.get().isUnspecified() || at.get().isLoopback())));
  }

  private void letLoopbackOut(CniResult previous) throws Exception {
    List<String> devices =
        previous.interfaces().stream()
            .filter(one -> one.sandbox().isEmpty())
            .map(CniResult.Interface::name)
            .toList();
    workers.call(links -> {
      links.letLoopbackOut(devices);
      return true;
    });
  }

  /** Where the container is: the addresses that its own interfaces have. */
  private static List<Place> places(CniResult previous) {
    List<Place> places = new ArrayList<>();
    for (CniResult.Address address : previous.addresses()) {
      boolean inside =
          address
              .interfaceIndex()
              .filter(index -> index >= 0 && index < previous.interfaces().size())
              .map(index -> !previous.interfaces().get(index).sandbox().isEmpty())
              .orElse(true);
      if (inside) {
        places.add(new Place(address.address(), address.gateway()));
      }
    }
    return places;
  }

  /** A gateway elsewhere is no address to answer by. */
  private List<Place> withGatewaysOfTheNode(List<Place> places) throws Exception {
    Set<Ip> gateways = new TreeSet<>();
    places.forEach(place -> place.gateway().ifPresent(gateways::add));
    Set<Ip> carried = workers.call(links -> links.carried(gateways));
    return places.stream()
        .map(place -> new Place(place.address(), place.gateway().filter(carried::contains)))
        .toList();
  }

  @Override
  public void delete(CniRequest request) throws CniException, InterruptedException {
    Optional<PortRecord> record = records.get(owner(request).toString());
    if (record.isPresent()) {
      shut(record.get());
    }
  }

  private void shut(PortRecord record) throws CniException, InterruptedException {
    Failures.told(() -> {
      program.shut(record.key());
      records.remove(record);
      return true;
    });
  }

  @Override
  public void check(CniRequest request) throws CniException, InterruptedException {
    PortmapConfig config = PortmapConfig.parse(request);
    if (config.mappings().isEmpty()) {
      return;
    }
    Optional<PortRecord> record = records.get(owner(request).toString());
    List<PortMapping> wanted = config.mappings().stream().distinct().sorted().toList();
    if (record.isEmpty() || !record.get().container().mappings().equals(wanted)) {
      throw new CniException(
          Code.INTERNAL,
          "Network "
              + request.config().name()
              + ", plugin portmap: the ports of container "
              + request.containerId()
              + " are "
              + record.map(one -> one.container().mappings().toString()).orElse("not open")
              + " and not "
              + wanted
              + ".",
          "The runtime should make the sandbox anew.");
    }
    Failures.told(() -> {
      program.open(record.get().container()); // returns when they are in force
      return true;
    });
  }

  @Override
  public void collect(CniRequest request, Set<String> valid)
      throws CniException, InterruptedException {
    PortmapConfig.parse(request);
    for (PortRecord record : records.all()) {
      if (record.container().network().equals(request.config().name())
          && !valid.contains(record.key())) {
        shut(record);
      }
    }
  }

  @Override
  public void status(CniRequest request) throws CniException {
    PortmapConfig.parse(request);
  }

  private static AddressOwner owner(CniRequest request) {
    return new AddressOwner(request.containerId(), request.interfaceName());
  }
}
