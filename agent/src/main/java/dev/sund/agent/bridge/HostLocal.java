package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.engine.hostlocal.AddressRange;
import dev.sund.engine.hostlocal.AddressStore;
import dev.sund.engine.hostlocal.AddressStoreException;
import dev.sund.engine.hostlocal.GivenAddress;
import dev.sund.engine.hostlocal.HostLocalAllocator;
import dev.sund.engine.hostlocal.NoAddressException;
import dev.sund.engine.hostlocal.RangeSet;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What host-local does with a network's addresses. On platform threads, since it takes locks. */
final class HostLocal {
  private final AddressDirectories directories;

  HostLocal(AddressDirectories directories) {
    this.directories = directories;
  }

  /** Gives an address of each set. */
  List<GivenAddress> allocate(HostLocalConfig config, AddressOwner owner)
      throws NoAddressException, AddressStoreException {
    try (AddressStore store = directories.open(config.dataDir(), config.network())) {
      return new HostLocalAllocator(config.network(), config.sets())
          .allocate(store, owner, config.wanted());
    }
  }

  /** Gives back all that an interface has. */
  List<Ip> release(Path dataDir, String network, AddressOwner owner) throws AddressStoreException {
    if (!Files.isDirectory(dataDir.resolve(network))) {
      return List.of();
    }
    try (AddressStore store = directories.open(dataDir, network)) {
      return store.release(owner);
    }
  }

  /** An interface must have an address (C4). */
  void check(HostLocalConfig config, AddressOwner owner)
      throws AddressStoreException, CniException {
    try (AddressStore store = directories.open(config.dataDir(), config.network())) {
      if (store.of(owner).isEmpty()) {
        throw new CniException(
            Code.INTERNAL,
            "Container " + owner + " has no address of network " + config.network() + ".",
            "The runtime should make the sandbox anew.");
      }
    }
  }

  /**
   * Gives back the addresses whose containers are not valid any more (C5).
   *
   * @return what was given back
   */
  List<Ip> collect(HostLocalConfig config, Set<String> valid) throws AddressStoreException {
    if (!Files.isDirectory(config.dataDir().resolve(config.network()))) {
      return List.of();
    }
    try (FileAddressStore store = directories.open(config.dataDir(), config.network())) {
      return store.keepOnly(key ->
          key.endsWith("/")
              ? valid.stream().anyMatch(living -> living.startsWith(key))
              : valid.contains(key));
    }
  }

  /** Whether an address of each set is free (C6: a full range counts). */
  boolean status(HostLocalConfig config) throws AddressStoreException, CniException {
    if (!Files.isDirectory(config.dataDir().resolve(config.network()))) {
      return true;
    }
    try (FileAddressStore store = directories.open(config.dataDir(), config.network())) {
      for (RangeSet set : config.sets()) {
        if (!hasFree(set, store)) {
          throw new CniException(
              Code.NOT_AVAILABLE,
              "Network "
                  + config.network()
                  + " has no free address in "
                  + set
                  + "; "
                  + store.count()
                  + " are taken in all.",
              "Remove containers, have the runtime collect what was left behind (CNI GC), or give"
                  + " the network more ranges.");
        }
      }
      return true;
    }
  }

  private static boolean hasFree(RangeSet set, FileAddressStore store)
      throws AddressStoreException {
    int most = store.count() + 2; // so many steps at most until one is free, the gateway left out
    for (AddressRange range : set.ranges()) {
      Ip ip = range.first();
      for (int i = 0; i < most; i++) {
        if (!ip.equals(range.gateway()) && !store.isTaken(ip)) {
          return true;
        }
        if (ip.equals(range.last())) {
          break;
        }
        ip = ip.plus(1);
      }
    }
    return false;
  }

  /** The name servers of a configuration's resolvConf. */
  static Map<String, Object> dns(HostLocalConfig config) throws IOException {
    return config.resolvConf().isPresent() ? ResolvConf.read(config.resolvConf().get()) : Map.of();
  }
}
