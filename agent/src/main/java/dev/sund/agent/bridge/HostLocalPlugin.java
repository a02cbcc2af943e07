package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniRequest;
import dev.sund.agent.cni.CniResult;
import dev.sund.agent.cni.NetworkKind;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.engine.hostlocal.GivenAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The plugin {@code host-local} by itself, for other plugins that delegate their address management
 * to it: no interfaces, addresses and routes alone.
 */
final class HostLocalPlugin implements NetworkKind {
  private final BridgeWorkers workers;
  private final HostLocal hostLocal;

  HostLocalPlugin(BridgeWorkers workers, HostLocal hostLocal) {
    this.workers = workers;
    this.hostLocal = hostLocal;
  }

  @Override
  public Set<String> types() {
    return Set.of(HostLocalConfig.TYPE);
  }

  @Override
  public CniResult add(CniRequest request) throws CniException, InterruptedException {
    HostLocalConfig config = HostLocalConfig.parse(request);
    return work(() -> {
      Map<String, Object> dns = HostLocal.dns(config);
      List<GivenAddress> given = hostLocal.allocate(config, owner(request));
      return new CniResult(
          List.of(),
          given.stream()
              .map(one ->
                  new CniResult.Address(
                      Optional.empty(), one.address(), Optional.of(one.gateway())))
              .toList(),
          config.routes().stream()
              .map(route -> new CniResult.Route(route.destination(), route.gateway()))
              .toList(),
          dns);
    });
  }

  @Override
  public void delete(CniRequest request) throws CniException, InterruptedException {
    Optional<Path> dataDir = HostLocalConfig.dataDir(request);
    if (dataDir.isPresent()) {
      work(() -> hostLocal.release(dataDir.get(), request.config().name(), owner(request)));
    }
  }

  @Override
  public void check(CniRequest request) throws CniException, InterruptedException {
    HostLocalConfig config = HostLocalConfig.parse(request);
    work(() -> {
      hostLocal.check(config, owner(request));
      return true;
    });
  }

  @Override
  public void collect(CniRequest request, Set<String> valid)
      throws CniException, InterruptedException {
    HostLocalConfig config = HostLocalConfig.parse(request);
    work(() -> hostLocal.collect(config, valid));
  }

  @Override
  public void status(CniRequest request) throws CniException, InterruptedException {
    HostLocalConfig config = HostLocalConfig.parse(request);
    work(() -> hostLocal.status(config));
  }

  private <T> T work(Failures.Call<T> body) throws CniException, InterruptedException {
    return Failures.told(() -> workers.call(_ -> body.run()));
  }

  private static AddressOwner owner(CniRequest request) {
    return new AddressOwner(request.containerId(), request.interfaceName());
  }
}
