package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.CniRequest;
import dev.sund.agent.cni.CniResult;
import dev.sund.agent.cni.CniVersion;
import dev.sund.agent.cni.NetworkKind;
import dev.sund.agent.log.Log;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BridgeLinks;
import dev.sund.dataplane.BridgeLinks.ContainerRoute;
import dev.sund.dataplane.KernelRoutes;
import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.engine.hostlocal.AddressStoreException;
import dev.sund.engine.hostlocal.GivenAddress;
import dev.sund.kernel.KernelException;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The plugin {@code bridge}: containers on a bridge of the node, with addresses by host-local.
 *
 * <p>An ADD goes in the reference plugin's order: bridge, link, addresses, what hangs on the link,
 * source translation. Where it fails, what it made is undone.
 */
final class BridgeNetwork implements NetworkKind {
  private final BridgeWorkers workers;
  private final HostLocal hostLocal;
  private final Records<BridgedContainer> records;
  private final TranslatedNetworks translated;
  private final Translation translation;
  private final Runnable linksAreDoomed;
  private final Log log;
  private final ReentrantLock[] locks = new ReentrantLock[64];

  BridgeNetwork(
      BridgeWorkers workers,
      HostLocal hostLocal,
      Records<BridgedContainer> records,
      TranslatedNetworks translated,
      Translation translation,
      Runnable linksAreDoomed,
      Log log) {
    this.workers = workers;
    this.hostLocal = hostLocal;
    this.records = records;
    this.translated = translated;
    this.translation = translation;
    this.linksAreDoomed = linksAreDoomed;
    this.log = log;
    for (int i = 0; i < locks.length; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  @Override
  public Set<String> types() {
    return Set.of(BridgeConfig.TYPE);
  }

  @Override
  public CniResult add(CniRequest request) throws CniException, InterruptedException {
    BridgeConfig config = BridgeConfig.parse(request);
    if (config.ipam().isEmpty() && !request.config().version().atLeast(CniVersion.V0_3_0)) {
      throw refused(
          "Network "
              + config.network()
              + ": a link without addresses cannot be told in cniVersion "
              + request.config().version()
              + ".",
          "Set cniVersion to 0.3.0 or newer, or give the network ipam.");
    }
    return locked(
        request.key(),
        () -> {
          Made made = work(links -> make(links, request, config));
          boolean kept = false;
          try {
            translated.add(made.container());
            judge(made.container());
            kept = true;
            return made.result();
          } finally {
            if (!kept) {
              undo(made.container());
            }
          }
        });
  }

  @Override
  public void delete(CniRequest request) throws CniException, InterruptedException {
    locked(
        request.key(),
        () -> {
          Optional<BridgedContainer> known = records.get(request.key());
          AddressOwner owner = new AddressOwner(request.containerId(), request.interfaceName());
          if (known.isPresent()) {
            takeAway(known.get(), namespace(request));
          } else {
            // Nothing of ours, or of an agent that lost its state, or the reference plugin's.
            Optional<Path> dataDir = HostLocalConfig.dataDir(request);
            work(links -> {
              removeLink(links, device(owner), namespace(request), owner.interfaceName());
              if (dataDir.isPresent()) {
                hostLocal.release(dataDir.get(), request.config().name(), owner);
              }
              return true;
            });
          }
          return true;
        });
  }

  @Override
  public void check(CniRequest request) throws CniException, InterruptedException {
    BridgeConfig config = BridgeConfig.parse(request);
    AddressOwner owner = new AddressOwner(request.containerId(), request.interfaceName());
    CniResult previous = request.config().previous().orElse(CniResult.EMPTY);
    work(links -> {
      if (config.ipam().isPresent()) {
        hostLocal.check(config.ipam().get(), owner);
      }
      List<String> found =
          links.differences(
              bridge(config), port(config, request, owner), expected(config, previous));
      if (!found.isEmpty()) {
        throw refused(
            "Network " + config.network() + ", container " + owner + ": " + String.join(" ", found),
            "The runtime should make the sandbox anew.");
      }
      return true;
    });
  }

  @Override
  public void collect(CniRequest request, Set<String> valid)
      throws CniException, InterruptedException {
    BridgeConfig config = BridgeConfig.parse(request);
    List<String> failures = new ArrayList<>();
    for (BridgedContainer container : records.all()) {
      if (container.network().equals(config.network()) && !valid.contains(container.key())) {
        try {
          locked(
              container.key(),
              () -> {
                takeAway(container, Optional.of(container.port().namespace()));
                return true;
              });
        } catch (CniException e) {
          failures.add(String.valueOf(e.getMessage()));
        }
      }
    }
    if (config.ipam().isPresent()) {
      HostLocalConfig ipam = config.ipam().get();
      work(_ -> hostLocal.collect(ipam, valid));
    }
    if (!failures.isEmpty()) {
      throw refused(String.join(" ", failures), "The runtime collects again by itself.");
    }
  }

  @Override
  public void status(CniRequest request) throws CniException, InterruptedException {
    BridgeConfig config = BridgeConfig.parse(request);
    if (config.ipam().isPresent()) {
      work(_ -> hostLocal.status(config.ipam().get()));
    }
  }

  // How a container is made.

  /** A container, and what its runtime is told. */
  private record Made(BridgedContainer container, CniResult result) {}

  private Made make(BridgeLinks links, CniRequest request, BridgeConfig config) throws Exception {
    AddressOwner owner = new AddressOwner(request.containerId(), request.interfaceName());
    BridgeLinks.Bridge bridge = bridge(config);
    BridgeLinks.Port port = port(config, request, owner);
    Map<String, ?> dns = config.dns();
    if (dns.isEmpty() && config.ipam().isPresent()) {
      dns = HostLocal.dns(config.ipam().get());
    }
    int index = links.ensureBridge(bridge);
    try (KernelRoutes.Inside inside = links.enter(port.namespace())) {
      links.connect(index, port, inside);
      List<GivenAddress> given = List.of();
      boolean kept = false;
      try {
        if (config.ipam().isPresent()) {
          given = hostLocal.allocate(config.ipam().get(), owner);
        }
        List<CniResult.Route> routes = routes(config, given);
        BridgedContainer container =
            new BridgedContainer(
                owner,
                bridge,
                port,
                content(config, given, routes),
                config.masquerade()
                    ? given.stream().map(one -> one.address().subnet()).distinct().toList()
                    : List.of(),
                config.ipam().map(HostLocalConfig::dataDir),
                request.pod(),
                request.podUid());
        records.put(container);
        if (config.ipam().isPresent()) {
          links.fill(index, port, container.content(), inside);
        } else {
          links.switchOn(port, inside);
        }
        BridgeLinks.Ends ends = links.finish(index, port, inside);
        kept = true;
        return new Made(container, result(request, config, port, ends, given, routes, dns));
      } finally {
        if (!kept) {
          undo(links, port, config, owner, !given.isEmpty());
        }
      }
    }
  }

  /** What an ADD made before it failed; its failure is what is told. */
  private void undo(
      BridgeLinks links,
      BridgeLinks.Port port,
      BridgeConfig config,
      AddressOwner owner,
      boolean addressesToo) {
    try {
      removeLink(links, port.device(), Optional.of(port.namespace()), port.interfaceName());
      Optional<BridgedContainer> record = records.get(owner.toString());
      if (record.isPresent()) {
        records.remove(record.get());
      }
      if (addressesToo && config.ipam().isPresent()) {
        hostLocal.release(config.ipam().get().dataDir(), config.network(), owner);
      }
    } catch (IOException | AddressStoreException e) {
      log.error("not undone", "container", owner, "error", String.valueOf(e.getMessage()));
    }
  }

  private void undo(BridgedContainer container) throws InterruptedException {
    try {
      takeAway(container, Optional.of(container.port().namespace()));
    } catch (CniException e) {
      log.error(
          "not undone", "container", container.key(), "error", String.valueOf(e.getMessage()));
    }
  }

  private void takeAway(BridgedContainer container, Optional<Path> namespace)
      throws CniException, InterruptedException {
    work(links -> {
      removeLink(links, container.port().device(), namespace, container.owner().interfaceName());
      if (container.dataDir().isPresent()) {
        hostLocal.release(container.dataDir().get(), container.network(), container.owner());
      }
      records.remove(container);
      return true;
    });
    translated.remove(container);
    translation.leave(container.key());
  }

  /** A pod's policies stand before it begins; nobody waits for other containers. */
  private void judge(BridgedContainer container) throws CniException, InterruptedException {
    Optional<PortOnBridge> port = container.onBridge();
    if (port.isPresent() && container.pod().isPresent()) {
      translation.join(port.get());
    } else {
      port.ifPresent(translation::announce);
    }
  }

  private void removeLink(
      BridgeLinks links, String device, Optional<Path> namespace, String interfaceName)
      throws KernelException {
    if (links.remove(device, namespace, interfaceName)) {
      linksAreDoomed.run();
    }
  }

  private static BridgeLinks.Bridge bridge(BridgeConfig config) {
    return new BridgeLinks.Bridge(
        config.bridge(), config.network(), config.mtu(), config.promiscuous());
  }

  private static BridgeLinks.Port port(
      BridgeConfig config, CniRequest request, AddressOwner owner) {
    return new BridgeLinks.Port(
        device(owner),
        Path.of(request.netns()),
        request.interfaceName(),
        config.mac(),
        config.mtu(),
        config.hairpin(),
        alias(config.network() + " " + owner));
  }

  /** An ifalias holds 255 bytes; what is cut is the end of a container's id. */
  private static String alias(String text) {
    return text.length() <= 240 ? text : text.substring(0, 240);
  }

  private static String device(AddressOwner owner) {
    return PodDevices.device(owner.containerId(), owner.interfaceName());
  }

  private static Optional<Path> namespace(CniRequest request) {
    return request.netns().isEmpty() ? Optional.empty() : Optional.of(Path.of(request.netns()));
  }

  /** The routes as the runtime is told them: those of the configuration and the default ones. */
  private static List<CniResult.Route> routes(BridgeConfig config, List<GivenAddress> given) {
    List<CniResult.Route> routes = new ArrayList<>();
    config
        .ipam()
        .ifPresent(ipam ->
            ipam.routes()
                .forEach(route ->
                    routes.add(new CniResult.Route(route.destination(), route.gateway()))));
    if (config.defaultGateway()) {
      for (GivenAddress one : given) {
        Prefix everywhere = Prefix.all(one.address().ip().family());
        boolean there =
            routes.stream()
                .anyMatch(
                    route -> route.gateway().isPresent() && route.destination().equals(everywhere));
        if (!there) {
          routes.add(new CniResult.Route(everywhere, Optional.of(one.gateway())));
        }
      }
    }
    return routes;
  }

  private static BridgeLinks.Content content(
      BridgeConfig config, List<GivenAddress> given, List<CniResult.Route> routes) {
    return new BridgeLinks.Content(
        given.stream().map(GivenAddress::address).toList(),
        routes.stream().map(route -> ways(route, given)).toList(),
        config.gateway()
            ? List.copyOf(
                new LinkedHashSet<>(
                    given.stream()
                        .sorted(java.util.Comparator.comparing(one -> one.address().ip().family()))
                        .map(one -> new InterfaceAddress(one.gateway(), one.address().length()))
                        .toList()))
            : List.of(),
        config.force());
  }

  /** A route that names no gateway goes by the family's first one. */
  private static ContainerRoute ways(CniResult.Route route, List<GivenAddress> given) {
    Family family = route.destination().family();
    Optional<Ip> first =
        given.stream()
            .map(GivenAddress::gateway)
            .filter(gateway -> gateway.family() == family)
            .findFirst();
    return new ContainerRoute(route.destination(), route.gateway().or(() -> first));
  }

  /** What CHECK looks for, by what the runtime was told. */
  private static BridgeLinks.Content expected(BridgeConfig config, CniResult previous) {
    return new BridgeLinks.Content(
        previous.addresses().stream()
            .filter(address -> address.interfaceIndex().orElse(2) == 2)
            .map(CniResult.Address::address)
            .toList(),
        previous.routes().stream()
            .map(route -> new ContainerRoute(route.destination(), route.gateway()))
            .toList(),
        config.gateway()
            ? previous.addresses().stream()
                .filter(address -> address.gateway().isPresent())
                .map(address ->
                    new InterfaceAddress(
                        address.gateway().orElseThrow(), address.address().length()))
                .distinct()
                .toList()
            : List.of(),
        config.force());
  }

  private static CniResult result(
      CniRequest request,
      BridgeConfig config,
      BridgeLinks.Port port,
      BridgeLinks.Ends ends,
      List<GivenAddress> given,
      List<CniResult.Route> routes,
      Map<String, ?> dns) {
    return new CniResult(
        List.of(
            new CniResult.Interface(config.bridge(), ends.bridge().toString(), ""),
            new CniResult.Interface(port.device(), ends.host().toString(), ""),
            new CniResult.Interface(
                request.interfaceName(), ends.container().toString(), request.netns())),
        given.stream()
            .map(one ->
                new CniResult.Address(Optional.of(2), one.address(), Optional.of(one.gateway())))
            .toList(),
        routes,
        dns);
  }

  // How errors are told.

  private <T> T work(BridgeWorkers.Work<T> work) throws CniException, InterruptedException {
    return Failures.told(() -> workers.call(work));
  }

  private <T> T locked(String key, Failures.Call<T> body)
      throws CniException, InterruptedException {
    ReentrantLock lock = locks[Math.floorMod(key.hashCode(), locks.length)];
    lock.lockInterruptibly();
    try {
      return Failures.told(body);
    } finally {
      lock.unlock();
    }
  }

  private static CniException refused(String message, String remedy) {
    return new CniException(Code.INTERNAL, message, remedy);
  }
}
