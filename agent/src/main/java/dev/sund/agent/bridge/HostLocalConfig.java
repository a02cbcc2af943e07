package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.CniRequest;
import dev.sund.agent.cni.CniVersion;
import dev.sund.dataplane.BridgeLinks.ContainerRoute;
import dev.sund.engine.hostlocal.AddressRange;
import dev.sund.engine.hostlocal.RangeSet;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The section {@code ipam} of a configuration, of type {@code host-local}, and what a call says
 * about addresses.
 *
 * @param network the network's name
 * @param dataDir where the addresses' files are
 * @param sets the ranges; each set gives one address
 * @param wanted addresses that are asked for by name
 * @param routes the container's routes
 * @param resolvConf the file with the container's name servers
 */
record HostLocalConfig(
    String network,
    Path dataDir,
    List<RangeSet> sets,
    List<Ip> wanted,
    List<ContainerRoute> routes,
    Optional<Path> resolvConf) {
  static final String TYPE = "host-local";

  private static final Set<String> RANGE_KEYS =
      Set.of("subnet", "rangeStart", "rangeEnd", "gateway");

  private static final Set<String> KEYS =
      Set.of(
          "type",
          "name",
          "subnet",
          "rangeStart",
          "rangeEnd",
          "gateway",
          "ranges",
          "routes",
          "dataDir",
          "resolvConf");

  static HostLocalConfig parse(CniRequest request) throws CniException {
    String network = request.config().name();
    ConfigFields whole = new ConfigFields(network, "", request.config().fields());
    if (!whole.has("ipam")) {
      throw whole.wrong("ipam", "is missing", "Give it, with type host-local and a subnet.");
    }
    ConfigFields ipam = whole.child("ipam");
    ipam.refuseOthers(KEYS);
    CallArgs.check(request, "IP");
    List<RangeSet> sets = new ArrayList<>();
    for (List<ConfigFields> set : whole.child("runtimeConfig").grandchildren("ipRanges")) {
      sets.add(rangeSet(whole, set, sets.size()));
    }
    if (ipam.has("subnet")) {
      sets.add(new RangeSet(List.of(range(ipam))));
    }
    for (List<ConfigFields> set : ipam.grandchildren("ranges")) {
      for (ConfigFields range : set) {
        range.refuseOthers(RANGE_KEYS);
      }
      sets.add(rangeSet(ipam, set, sets.size()));
    }
    checkSets(ipam, sets, request.config().version());
    String dataDir = ipam.text("dataDir", "");
    String resolvConf = ipam.text("resolvConf", "");
    return new HostLocalConfig(
        network,
        dataDir.isEmpty() ? AddressDirectories.DEFAULT : Path.of(dataDir),
        sets,
        wanted(request, whole),
        routes(ipam),
        resolvConf.isEmpty() ? Optional.empty() : Optional.of(Path.of(resolvConf)));
  }

  /**
   * Where a network's addresses are, whatever else its configuration says: what is wrong with it
   * must not keep a container from going (C2). Empty when another address management has them.
   */
  static Optional<Path> dataDir(CniRequest request) {
    if (!(request.config().fields().get("ipam") instanceof Map<?, ?> ipam)
        || !TYPE.equals(ipam.get("type"))) {
      return Optional.empty();
    }
    return ipam.get("dataDir") instanceof String said && !said.isEmpty()
        ? Optional.of(Path.of(said))
        : Optional.of(AddressDirectories.DEFAULT);
  }

  private static void checkSets(ConfigFields ipam, List<RangeSet> sets, CniVersion version)
      throws CniException {
    if (sets.isEmpty()) {
      throw ipam.wrong(
          "ranges", "has no ranges", "Give subnet, or ranges such as [[{\"subnet\": ...}]].");
    }
    for (Family family : Family.values()) {
      long many = sets.stream().filter(set -> set.family() == family).count();
      if (many > 1 && !version.atLeast(CniVersion.V0_3_0)) {
        throw ipam.wrong(
            "ranges",
            "has " + many + " sets of one family, which cniVersion " + version + " cannot say",
            "Set cniVersion to 0.3.0 or newer.");
      }
    }
    try {
      RangeSet.checkApart(sets);
    } catch (IllegalArgumentException e) {
      throw ipam.wrong("ranges", "cannot be used: " + e.getMessage(), "Use ranges that are apart.");
    }
  }

  private static RangeSet rangeSet(ConfigFields at, List<ConfigFields> set, int number)
      throws CniException {
    List<AddressRange> ranges = new ArrayList<>();
    for (ConfigFields range : set) {
      ranges.add(range(range));
    }
    try {
      return new RangeSet(ranges);
    } catch (IllegalArgumentException e) {
      throw at.wrong(
          "ranges",
          "cannot be used, set " + number + ": " + e.getMessage(),
          "A set holds ranges of one family that are apart.");
    }
  }

  private static AddressRange range(ConfigFields fields) throws CniException {
    try {
      return AddressRange.of(
          fields.prefix("subnet"),
          fields.ip("rangeStart"),
          fields.ip("rangeEnd"),
          fields.ip("gateway"));
    } catch (IllegalArgumentException e) {
      throw fields.wrong(
          "subnet",
          "cannot be used: " + e.getMessage(),
          "Mend subnet, rangeStart, rangeEnd or gateway.");
    }
  }

  private static List<Ip> wanted(CniRequest request, ConfigFields whole) throws CniException {
    Set<Ip> wanted = new LinkedHashSet<>();
    Optional<String> word = CallArgs.word(request, "IP");
    if (word.isPresent()) {
      wanted.add(
          Ip.tryParse(word.get())
              .orElseThrow(
                  () -> CallArgs.wrong("IP=" + word.get() + " is no address", "Say one.")));
    }
    ConfigFields cni = whole.child("args").child("cni");
    for (String text : cni.texts("ips")) {
      int slash = text.indexOf('/');
      wanted.add(
          Ip.tryParse(slash < 0 ? text : text.substring(0, slash))
              .orElseThrow(() -> cni.wrong("ips", "is no list of addresses", "Mend it.")));
    }
    request.config().runtime().addresses().stream().map(InterfaceAddress::ip).forEach(wanted::add);
    return List.copyOf(wanted);
  }

  private static List<ContainerRoute> routes(ConfigFields ipam) throws CniException {
    List<ContainerRoute> routes = new ArrayList<>();
    for (ConfigFields route : ipam.children("routes")) {
      route.refuseOthers(Set.of("dst", "gw"));
      if (route.has("gw") && route.text("gw", "").isEmpty()) {
        throw route.wrong("gw", "is no address", "Write one, or leave the key out.");
      }
      routes.add(new ContainerRoute(route.prefix("dst"), route.ip("gw")));
    }
    return routes;
  }

  /** Refuses a type of address management that Sund does not have. */
  static CniException otherType(ConfigFields ipam) {
    return new CniException(
        Code.UNSUPPORTED_FIELD,
        "Network "
            + ipam.network()
            + ": ipam.type '"
            + ipam.fields().get("type")
            + "' is not supported on a bridge.",
        "Use host-local, or leave ipam out for a link without addresses.");
  }
}
