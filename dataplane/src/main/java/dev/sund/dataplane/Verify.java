package dev.sund.dataplane;

import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.ForwardDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.PolicyImage;
import dev.sund.dataplane.nft.TableCheck;
import dev.sund.dataplane.nft.TableImage;
import dev.sund.dataplane.rows.FdbRow;
import dev.sund.dataplane.rows.Lowering;
import dev.sund.dataplane.rows.NeighbourRow;
import dev.sund.dataplane.rows.PodRow;
import dev.sund.dataplane.rows.RouteRow;
import dev.sund.dataplane.rows.Row;
import dev.sund.dataplane.xtables.LegacyForwardDriver;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares what a node's program says with what its kernel holds, object by object and column by
 * column, and names every difference with both values and what to do.
 *
 * <p>It needs no agent: it reads the kernel itself, and is told the program. Which objects are ours
 * is decided by the same marks as in the drivers.
 */
public final class Verify {
  private static final String REPAIR =
      "A running agent puts it right within a second; if it stays, look at the agent's log.";
  private static final String DEFAULT_INTERFACE = "eth0";

  private final NodeReading reading;
  private final PacketProgram wanted;
  private final Map<Integer, String> names = new HashMap<>();
  private final TreeMap<ObjectRef, Row> want = new TreeMap<>();
  private final TreeMap<ObjectRef, Row> found = new TreeMap<>();
  private final Set<ObjectRef> foreign = new HashSet<>();
  private final List<Condition> drift = new ArrayList<>();
  private final List<String> unread = new ArrayList<>();

  private Verify(NodeReading reading, PacketProgram wanted) {
    this.reading = reading;
    this.wanted = wanted;
    reading.links().forEach(link -> names.put(link.index(), link.name()));
  }

  /**
   * Reads a node's kernel and compares it.
   *
   * @param node the node's namespace
   * @param wanted its program
   * @throws KernelException when the kernel could not be read
   */
  public static VerifyReport node(NetNs node, PacketProgram wanted) throws KernelException {
    NodeReading reading = NodeReading.of(node);
    SysctlPlan plan = plan(wanted);
    Map<Sysctl, String> values = Sysctl.readAll(node, plan.inputs());
    VerifyReport rows = compare(reading, wanted, plan.needed(values, false), values);
    List<Condition> drift = new ArrayList<>(rows.drift());
    if (!wanted.localPods().isEmpty()) {
      drift.addAll(droppers(node));
    }
    try (SocketRoutes kernel = SocketRoutes.open(node)) {
      drift.addAll(BridgeFilterDriver.verify(kernel));
    }
    try (NftPort frames = NftPort.ofBridges(NftSocket.open(node))) {
      drift.addAll(BridgeTableDriver.differences(wanted, frames.contents()));
    }
    return new VerifyReport(
        rows.node(), rows.rows(), drift.stream().sorted().distinct().toList(), rows.unread());
  }

  /** Chains of others that drop by policy what is forwarded, without rules of ours in them. */
  private static List<Condition> droppers(NetNs node) throws KernelException {
    List<String> chains = new ArrayList<>(ForwardDriver.dropping(node));
    LegacyForwardDriver.dropping(node).forEach(table -> chains.add(table + " FORWARD"));
    return chains.stream()
        .map(chain ->
            new Condition(
                Reason.DRIFT_MISSING,
                new ObjectRef("chain", chain),
                "",
                "It drops what is forwarded, and the rules that accept pods' packets are missing.",
                REPAIR))
        .toList();
  }

  /** Compares what was read with what is wanted, sysctls left out. */
  public static VerifyReport compare(NodeReading reading, PacketProgram wanted) {
    return compare(reading, wanted, Map.of(), Map.of());
  }

  private static VerifyReport compare(
      NodeReading reading,
      PacketProgram wanted,
      Map<Sysctl, String> needed,
      Map<Sysctl, String> values) {
    Verify verify = new Verify(reading, wanted);
    verify.sysctls(needed, values);
    verify.pods();
    verify.tunnels();
    verify.routes();
    verify.compareRows();
    verify.drift.addAll(TableCheck.differences(TableImage.of(wanted), reading.table()));
    verify.drift.addAll(PolicyImage.differences(wanted, reading.policies()));
    return new VerifyReport(
        wanted.node(),
        verify.want.size()
            + wanted.masquerade().size()
            + wanted.frontends().size()
            + wanted.endpoints().size()
            + wanted.policy().size(),
        verify.drift.stream().sorted().distinct().toList(),
        verify.unread);
  }

  private static SysctlPlan plan(PacketProgram wanted) {
    TreeSet<String> devices = new TreeSet<>();
    boolean v4 = false;
    boolean v6 = false;
    for (Tunnel tunnel : wanted.tunnels().values()) {
      devices.add(tunnel.device());
      devices.add(tunnel.underlayDevice());
    }
    for (Route route : wanted.routes().values()) {
      switch (route.destination().family()) {
        case V4 -> v4 = true;
        case V6 -> v6 = true;
      }
      if (route.way() instanceof Route.Direct(var _, String device)) {
        devices.add(device);
      }
    }
    return new SysctlPlan(v4, v6, devices, new TreeSet<>());
  }

  private String name(int index) {
    return names.getOrDefault(index, "#" + index);
  }

  private void sysctls(Map<Sysctl, String> needed, Map<Sysctl, String> values) {
    needed.forEach((setting, value) -> {
      want(Row.of("sysctl", setting.key()).with("value", value).row());
      found(
          Row.of("sysctl", setting.key())
              .with("value", values.getOrDefault(setting, "none"))
              .row());
    });
  }

  private void pods() {
    Map<String, Link> byName = new HashMap<>();
    reading.links().forEach(link -> byName.put(link.name(), link));
    for (LocalPod pod : wanted.localPods().values()) {
      PodRow row = Lowering.pod(pod, DEFAULT_INTERFACE);
      Link link = byName.get(pod.device());
      if (link != null && !RowReader.isPodLink(link)) {
        foreign(
            new ObjectRef("pod-link", pod.device()),
            "A device of this name is there that Sund did not make.",
            "Remove or rename it: ip link delete " + pod.device() + ".");
        continue;
      }
      boolean hidden = link != null && !reading.insides().containsKey(pod.device());
      if (hidden) {
        unread.add(
            "The pod's end of "
                + pod.device()
                + " ("
                + pod.pod()
                + ") was not read: its namespace has no name here.");
        row = new PodRow(row.device(), row.host(), Optional.empty());
      }
      row.describe().forEach(this::want);
    }
    for (Link link : reading.links()) {
      if (RowReader.isPodLink(link)) {
        PodRow row =
            new PodRow(
                link.name(),
                RowReader.host(link, reading.neighbours()),
                Optional.ofNullable(reading.insides().get(link.name())));
        if (wanted.localPods().containsKey(link.name())) {
          row.describe().forEach(this::found);
        } else {
          found(row.describe().getFirst()); // a stray as a whole
        }
      }
    }
    looseNeighbours();
  }

  /** Entries that stand where a permanent one should, and are not permanent. */
  private void looseNeighbours() {
    for (Neighbour neighbour : reading.neighbours()) {
      NeighbourRow row = RowReader.neighbour(neighbour, name(neighbour.device()));
      if (!row.permanent() && want.containsKey(row.describe().object())) {
        found(row.describe());
      }
    }
  }

  private void tunnels() {
    Set<String> ours = new HashSet<>();
    for (Link link : reading.links()) {
      Tunnel same = wanted.tunnels().get(link.name());
      boolean unnamed =
          same != null
              && link.kind().equals("vxlan")
              && link.alias().isEmpty()
              && link.mac().equals(same.mac());
      if (RowReader.isTunnel(link) || unnamed) {
        ours.add(link.name());
        found(RowReader.tunnel(link, reading.addresses(), this::name).describe());
      } else if (same != null) {
        foreign(
            new ObjectRef("tunnel", link.name()),
            "A device of this name is there that Sund did not make.",
            "Remove or rename it: ip link delete " + link.name() + ".");
      }
    }
    wanted.tunnels().values().forEach(tunnel -> want(Lowering.tunnel(tunnel).describe()));
    wanted
        .tunnelPeers()
        .values()
        .forEach(peer -> {
          if (!foreign.contains(new ObjectRef("tunnel", peer.device()))) {
            want(Lowering.neighbour(peer).describe());
            want(Lowering.fdb(peer).describe());
          }
        });
    for (Neighbour neighbour : reading.neighbours()) {
      NeighbourRow row = RowReader.neighbour(neighbour, name(neighbour.device()));
      if (isWantedTunnel(row.device(), ours)
          && (row.permanent() || want.containsKey(row.describe().object()))) {
        found(row.describe());
      }
    }
    for (FdbEntry entry : reading.fdb()) {
      FdbRow row = RowReader.fdb(entry, name(entry.device()));
      if (entry.isSelf() && isWantedTunnel(row.device(), ours)) {
        found(row.describe());
      }
    }
  }

  /** What hangs on a stray device is not told one by one. */
  private boolean isWantedTunnel(String device, Set<String> ours) {
    return ours.contains(device) && wanted.tunnels().containsKey(device);
  }

  private void routes() {
    wanted.routes().values().forEach(route -> want(Lowering.route(route).describe()));
    for (RouteEntry entry : reading.routes()) {
      RouteRow row = RowReader.route(entry, this::name);
      Row told = row.describe();
      Route same = wanted.routes().get(row.destination());
      if (entry.protocol() == Marks.ROUTE_PROTOCOL) {
        boolean better =
            row.metric() == Lowering.metric(row.destination()) || !found.containsKey(told.object());
        if (better && found.containsKey(told.object())) {
          found(extra(java.util.Objects.requireNonNull(found.remove(told.object()))));
        }
        found(better ? told : extra(told));
      } else if (same != null
          && Integer.compareUnsigned(row.metric(), Lowering.metric(row.destination())) <= 0) {
        foreign(
            told.object(),
            "A route that Sund did not make takes its packets: "
                + row
                + " proto "
                + entry.protocol()
                + ".",
            "Remove that route, or give the pods another range.");
      }
    }
  }

  /** A second route of ours to one destination. */
  private static Row extra(Row row) {
    return new Row(
        new ObjectRef(
            row.object().kind(), row.object().name() + " metric " + row.columns().get("metric")),
        row.columns());
  }

  private void want(Row row) {
    want.put(row.object(), row);
  }

  private void found(Row row) {
    found.put(row.object(), row);
  }

  private void foreign(ObjectRef object, String text, String remedy) {
    foreign.add(object);
    drift.add(new Condition(Reason.FOREIGN_OBJECT, object, "", text, remedy));
  }

  private void compareRows() {
    want.forEach((object, row) -> {
      Row there = found.get(object);
      if (there != null) {
        compareColumns(row, there);
      } else if (!foreign.contains(object)) {
        drift.add(
            new Condition(
                Reason.DRIFT_MISSING, object, "", "It is missing; wanted: " + row + ".", REPAIR));
      }
    });
    found.forEach((object, row) -> {
      if (!want.containsKey(object)) {
        drift.add(
            new Condition(
                Reason.STRAY_OBJECT,
                object,
                "",
                "It is ours, and the program does not want it: " + row + ".",
                REPAIR));
      }
    });
  }

  private void compareColumns(Row row, Row there) {
    row.columns()
        .forEach((column, value) -> {
          String has = there.columns().getOrDefault(column, "none");
          if (!has.equals(value)) {
            drift.add(
                new Condition(
                    Reason.DRIFT_CHANGED,
                    row.object(),
                    column,
                    "It is " + has + ", and should be " + value + ".",
                    REPAIR));
          }
        });
  }
}
