package dev.sund.dataplane;

import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.ForwardDriver;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.OwnCommits;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.dataplane.probe.KernelProbe;
import dev.sund.dataplane.xtables.LegacyForwardDriver;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Removes all that is ours from a node and nothing else: routes of our protocol number, pods' links
 * and tunnels by their marks with all that hangs on them, our nf_tables table; and puts back the
 * settings that are still as we set them.
 *
 * <p>For a node without a running agent: a running one would make everything again.
 */
public final class Cleanup {
  private static final String NAME = "cleanup";

  private final KernelRoutes kernel;
  private final NftPort nft;
  private final Path stateDirectory;
  private final boolean dryRun;
  private final List<String> done = new ArrayList<>();
  private final List<Condition> failed = new ArrayList<>();

  private Cleanup(KernelRoutes kernel, NftPort nft, Path stateDirectory, boolean dryRun) {
    this.kernel = kernel;
    this.nft = nft;
    this.stateDirectory = stateDirectory;
    this.dryRun = dryRun;
  }

  /**
   * What was removed or put back.
   *
   * @param done one line each, in order; what would be done in a dry run
   * @param failed what the kernel refused
   */
  public record Report(List<String> done, List<Condition> failed) {
    public Report {
      done = List.copyOf(done);
      failed = List.copyOf(failed);
    }
  }

  /**
   * Cleans a node.
   *
   * @param node its namespace
   * @param stateDirectory where the old settings are recorded
   * @param dryRun only say what would be done
   * @throws KernelException when the kernel could not be read
   */
  public static Report node(NetNs node, Path stateDirectory, boolean dryRun)
      throws KernelException {
    List<String> legacy = new ArrayList<>();
    List<Condition> refused = new ArrayList<>();
    try {
      legacy.addAll(LegacyForwardDriver.removeAll(node, dryRun));
    } catch (KernelException e) {
      refused.add(Problems.refused(new ObjectRef("table", "iptables-legacy"), e));
    }
    try (SocketRoutes kernel = SocketRoutes.open(node);
        NftPort nft = NftPort.over(NftSocket.open(node))) {
      Report rest = run(kernel, nft, stateDirectory, dryRun);
      legacy.addAll(rest.done());
      refused.addAll(rest.failed());
      try {
        if (policies(NftPort.ofPolicies(NftSocket.open(node)), dryRun)) {
          legacy.add("remove table inet " + Marks.POLICY_TABLE);
        }
        if (bridges(NftPort.ofBridges(NftSocket.open(node)), dryRun)) {
          legacy.add("remove table bridge " + Marks.POLICY_TABLE);
        }
      } catch (KernelException e) { // it is an agent's that runs
        refused.add(Problems.refused(new ObjectRef("table", Marks.POLICY_TABLE), e));
      }
      if (KernelProbe.removeLeft(node, dryRun)) {
        legacy.add("remove table inet " + Marks.PROBE_TABLE);
      }
      return new Report(legacy, refused);
    }
  }

  /** Removes the table of policies, or says whether it would; closes {@code nft}. */
  private static boolean policies(NftPort nft, boolean dryRun) throws KernelException {
    try (PolicyDriver driver = new PolicyDriver(nft, FailPoint.NONE)) {
      return dryRun
          ? nft.contents()
              .filter(contents -> contents.table().comment().equals(Marks.TABLE_COMMENT))
              .isPresent()
          : driver.removeAll();
    }
  }

  /** As {@link #policies}, of the table that frames on bridges are asked by. */
  private static boolean bridges(NftPort nft, boolean dryRun) throws KernelException {
    try (BridgeTableDriver driver = new BridgeTableDriver(nft, FailPoint.NONE, new OwnCommits())) {
      return dryRun
          ? nft.contents()
              .filter(contents -> contents.table().comment().equals(Marks.TABLE_COMMENT))
              .isPresent()
          : driver.removeAll();
    }
  }

  /** As {@link #node}, by these; closes {@code nft}. */
  static Report run(KernelRoutes kernel, NftPort nft, Path stateDirectory, boolean dryRun)
      throws KernelException {
    Cleanup cleanup = new Cleanup(kernel, nft, stateDirectory, dryRun);
    cleanup.routes();
    cleanup.links();
    cleanup.forward();
    cleanup.table();
    cleanup.sysctls();
    return new Report(cleanup.done, cleanup.failed);
  }

  private void routes() throws KernelException {
    Devices devices = new Devices(kernel);
    devices.replace(kernel.links());
    List<RouteRequest> requests = new ArrayList<>();
    List<ObjectRef> objects = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    for (Family family : Family.values()) {
      for (RouteEntry route :
          kernel.routes(RouteFilter.main(family).withProtocol(Marks.ROUTE_PROTOCOL))) {
        requests.add(new RouteRequest.DeleteRoute(RouteDriver.deletable(route)));
        objects.add(new ObjectRef("route", route.destination().toString()));
        lines.add("remove route " + RowReader.route(route, devices::name));
      }
    }
    send(requests, objects, lines);
  }

  private void links() throws KernelException {
    List<RouteRequest> requests = new ArrayList<>();
    List<ObjectRef> objects = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    List<Link> links = kernel.links();
    for (int group : new int[] {Marks.GROUP_PODS, Marks.GROUP_BRIDGE_PORTS, Marks.GROUP_DOOMED}) {
      List<Link> members = links.stream().filter(link -> link.group() == group).toList();
      // One removal of a group costs what one device's does; but it would take foreign ones along.
      if (members.size() > 1 && members.stream().allMatch(RowReader::isOurs)) {
        requests.add(new RouteRequest.DeleteGroup(group));
        objects.add(new ObjectRef("pod-link", members.getFirst().name()));
        lines.add(
            "remove pod-links " + String.join(" ", members.stream().map(Link::name).toList()));
        links = links.stream().filter(link -> link.group() != group).toList();
      }
    }
    for (Link link : links) {
      if (RowReader.isOurs(link) || isOwnBridge(link, links) || BandwidthLinks.isOurs(link)) {
        String kind =
            RowReader.isTunnel(link)
                ? "tunnel"
                : RowReader.isBridge(link)
                    ? "bridge"
                    : BandwidthLinks.isOurs(link) ? "bandwidth-link" : "pod-link";
        requests.add(new RouteRequest.DeleteLink(link.index(), link.name()));
        objects.add(new ObjectRef(kind, link.name()));
        lines.add("remove " + kind + " " + link.name());
      }
    }
    send(requests, objects, lines);
  }

  /** A bridge that we made; one with somebody else's ports stays with them. */
  private static boolean isOwnBridge(Link link, List<Link> links) {
    return RowReader.isBridge(link)
        && links.stream()
            .noneMatch(other -> other.master() == link.index() && !RowReader.isOurs(other));
  }

  private void table() throws KernelException {
    try (NftDriver driver = new NftDriver(nft, FailPoint.NONE)) {
      boolean there =
          dryRun
              ? nft.contents()
                  .filter(contents -> contents.table().comment().equals(Marks.TABLE_COMMENT))
                  .isPresent()
              : driver.removeAll();
      if (there) {
        done.add("remove table inet " + Marks.TABLE);
      }
    } catch (KernelException e) {
      failed.add(Problems.refused(new ObjectRef("table", Marks.TABLE), e));
    }
  }

  private void forward() {
    try {
      done.addAll(ForwardDriver.removeAll(nft, dryRun));
    } catch (KernelException e) {
      failed.add(Problems.refused(new ObjectRef("chain", "forward"), e));
    }
  }

  private void sysctls() throws KernelException {
    ObjectRef file = new ObjectRef("file", stateDirectory + "/sysctls");
    try {
      SysctlRecord record = SysctlRecord.read(stateDirectory);
      List<Sysctl> settings = new ArrayList<>(record.entries().keySet());
      Map<Sysctl, String> now = kernel.sysctls(settings);
      Map<Sysctl, String> back = new LinkedHashMap<>();
      // Forwarding first, then what depends on it: the reverse of the order of writing.
      settings.sort(
          java.util.Comparator.comparing((Sysctl setting) -> !setting.key().endsWith("forward"))
              .thenComparing(setting -> !setting.key().endsWith("forwarding"))
              .thenComparing(java.util.Comparator.naturalOrder()));
      for (Sysctl setting : settings) {
        SysctlRecord.Entry entry = java.util.Objects.requireNonNull(record.entries().get(setting));
        if (entry.ours().equals(now.get(setting)) && !entry.before().equals(entry.ours())) {
          back.put(setting, entry.before());
          done.add("set " + setting + " = " + entry.before());
        }
      }
      if (!dryRun) {
        for (KernelException failure : kernel.writeSysctls(back)) {
          failed.add(Problems.refused(new ObjectRef("sysctl", failure.object()), failure));
        }
        record.clear();
      }
    } catch (IOException e) {
      if (e instanceof KernelException refused) {
        throw refused;
      }
      failed.add(
          new Condition(
              dev.sund.model.Reason.STATE_UNREADABLE,
              file,
              "",
              "The settings' old values cannot be read: " + e + ".",
              "Look at net.ipv4.ip_forward and net.ipv6.conf.all.forwarding yourself."));
    }
  }

  private void send(List<RouteRequest> requests, List<ObjectRef> objects, List<String> lines)
      throws KernelException {
    if (requests.isEmpty()) {
      return;
    }
    if (dryRun) {
      done.addAll(lines);
      return;
    }
    List<Outcome> outcomes = kernel.apply(NAME, requests);
    for (int i = 0; i < outcomes.size(); i++) {
      switch (outcomes.get(i)) {
        case Outcome.Settled _ -> done.add(lines.get(i));
        case Outcome.Failed(KernelException cause) ->
            failed.add(Problems.refused(objects.get(i), cause));
      }
    }
  }
}
