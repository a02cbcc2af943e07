package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Keeps the table {@code bridge sund-policy}: containers on bridges send from their own addresses
 * alone, and what no rule of policies has seen reaches no pod with policies, nor leaves one. There
 * is no such table before the first container on a bridge.
 *
 * <p><b>How does a restarted agent know that it is ours?</b> As of {@link NftDriver}'s table: by
 * family, name and comment.
 *
 * <p><b>What happens to packets if we die right here?</b> Each transaction is whole. Without an
 * agent the table stays.
 *
 * <p>On the dataplane thread.
 */
public final class BridgeTableDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "bridge-policy";

  private static final NftTable TABLE = BridgeLowering.TABLE;

  private final KeptTable table;
  private final ElementTable elements;
  private final Map<String, BridgePort> ports = new HashMap<>();
  private final Map<Ip, Integer> judged = new HashMap<>();
  private final Map<Ip, String> devices = new HashMap<>();

  /** Devices of containers that are gone, of which counters may be left. */
  private final Set<String> goneDevices = new HashSet<>();

  /**
   * A driver that owns {@code nft}.
   *
   * @param nft a port to this table, see {@link NftPort#keepingBridges}
   * @param failPoint where to die, in tests
   * @param commits counts the commits of all drivers of the namespace
   */
  public BridgeTableDriver(NftPort nft, FailPoint failPoint, OwnCommits commits) {
    this.table = new KeptTable(NAME, TABLE, nft, commits, failPoint, new InTable());
    this.elements = table.elements();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void want(ProgramDelta delta) {
    Set<String> touched = new TreeSet<>();
    for (Change<String, BridgePort> change : delta.bridgePorts()) {
      change.before().ifPresent(was -> elements(was, true).keySet().forEach(table::unwant));
      change.before().ifPresent(was -> was.addresses().forEach(devices::remove));
      change
          .after()
          .ifPresentOrElse(now -> ports.put(now.device(), now), () -> ports.remove(change.key()));
      change.after().ifPresent(now -> now.addresses().forEach(ip -> devices.put(ip, now.device())));
      touched.add(change.key());
    }
    for (Change<PodPolicy.Key, PodPolicy> change : delta.policy().pods()) {
      if (change.before().isPresent() != change.after().isPresent()) {
        Ip ip = change.key().pod();
        judged.merge(ip, change.after().isPresent() ? 1 : -1, (a, b) -> a + b == 0 ? null : a + b);
        Optional.ofNullable(devices.get(ip)).ifPresent(touched::add);
      }
    }
    for (String device : touched) {
      BridgePort port = ports.get(device);
      if (port != null) {
        elements(port, true).keySet().forEach(table::unwant);
        elements(port, port.addresses().stream().anyMatch(judged::containsKey))
            .forEach(elements::want);
      }
    }
  }

  /** A port's elements. */
  private static NavigableMap<RangeKey, Entry> elements(BridgePort port, boolean judged) {
    NavigableMap<RangeKey, Entry> all = new TreeMap<>();
    Bytes device = PolicyLowering.device(port.device());
    all.put(RangeKey.single(BridgeLowering.PORTS, device), Entry.of(port.rule()));
    if (judged) {
      all.put(RangeKey.single(BridgeLowering.JUDGED, device), Entry.of(port.rule()));
    }
    for (Ip ip : port.addresses()) {
      all.put(
          RangeKey.single(BridgeLowering.senders(ip.family()), device.plus(Bytes.of(ip))),
          Entry.of(port.rule()));
    }
    return all;
  }

  /**
   * Every difference between a program and a table that was read.
   *
   * @param contents what is in the kernel, empty without a table
   */
  public static List<Condition> differences(PacketProgram program, Optional<NftContents> contents) {
    if (program.bridgePorts().isEmpty() && contents.isEmpty()) {
      return List.of();
    }
    return TableCheck.ofWhole(image(program), contents);
  }

  /** The table as a program says. */
  static TableImage image(PacketProgram program) {
    NavigableMap<RangeKey, Entry> all = new TreeMap<>();
    Set<Ip> judged = new TreeSet<>();
    program.policy().pods().keySet().forEach(key -> judged.add(key.pod()));
    for (BridgePort port : program.bridgePorts().values()) {
      all.putAll(elements(port, port.addresses().stream().anyMatch(judged::contains)));
    }
    return BridgeLowering.image(all);
  }

  /** The addresses from which devices may send, by the table as it was read. */
  public static SortedMap<String, List<Ip>> senders(Optional<NftContents> contents) {
    SortedMap<String, List<Ip>> senders = new TreeMap<>();
    contents.ifPresent(there ->
        TableImage.entries(there, BridgeLowering.constant().sets())
            .keySet()
            .forEach(key ->
                BridgeLowering.sender(key)
                    .ifPresent(ip ->
                        senders
                            .computeIfAbsent(
                                PolicyLowering.device(key.low()), _ -> new ArrayList<>())
                            .add(ip))));
    return senders;
  }

  @Override
  public void allowSweep() {
    elements.allowSweep();
  }

  @Override
  public void retry() {
    table.retry();
  }

  @Override
  public int pending() {
    if (table.isHeld()) {
      return 0;
    }
    return switch (table.frame()) {
      case UNKNOWN, FOREIGN -> 0;
      case MISSING -> ports.isEmpty() ? 0 : 1 + elements.pending();
      case ALTERED -> elements.sweepAllowed() ? 1 + elements.pending() : 0;
      case RIGHT -> (table.isOrphan() ? 1 : 0) + elements.pending();
    };
  }

  @Override
  public ApplyReport glance() throws KernelException {
    return table.glance();
  }

  @Override
  public ApplyReport resync() throws KernelException {
    return table.resync();
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    return table.apply(step, most);
  }

  /**
   * Every difference between what is wanted and what the kernel holds now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public List<Condition> verify() throws KernelException {
    return TableCheck.ofWhole(BridgeLowering.image(elements.wanted()), table.port().contents());
  }

  /** Whether the table stands as it should, but for what is pending. */
  public boolean isInForce() {
    return table.frame() == KeptTable.Frame.RIGHT;
  }

  /** What has been done so far. */
  public NftDriver.Counts counts() {
    return table.counts();
  }

  /** What this table is, and what there is to be done in it. */
  private final class InTable implements KeptTable.Owner {
    @Override
    public int pending() {
      return BridgeTableDriver.this.pending();
    }

    @Override
    public List<Condition> changed(Optional<NftContents> contents) {
      return TableCheck.ofWhole(BridgeLowering.image(elements.seen()), contents);
    }

    @Override
    public List<Condition> ofFrame(Optional<NftContents> contents) {
      return TableCheck.ofFrame(BridgeLowering.constant(), contents);
    }

    @Override
    public NavigableMap<RangeKey, Entry> entries(NftContents contents) {
      return TableImage.entries(contents, BridgeLowering.constant().sets());
    }

    @Override
    public void learned(Optional<NftContents> contents) {}

    @Override
    public TableTransaction make(int most) throws KernelException {
      NavigableMap<RangeKey, Entry> all = elements.wanted();
      table.leaveOutRefused(all);
      return table.make(BridgeLowering.image(all));
    }

    @Override
    public TableTransaction change(Step step, int most) {
      TableTransaction plan = new TableTransaction(false, TABLE);
      switch (step) {
        case PUT -> table.put(plan, most);
        case REMOVE -> plan.remove(elements.removes(most), !table.isOneByOne());
      }
      return plan;
    }

    @Override
    public void taken(TableTransaction plan) {
      for (Change<RangeKey, Entry> change : plan.changes()) {
        if (change instanceof Change.Remove<RangeKey, Entry>(var key, var _)
            && key.set().equals(BridgeLowering.PORTS)) {
          goneDevices.add(PolicyLowering.device(key.low()));
        }
      }
    }

    /** What was counted of containers that are gone. */
    @Override
    public void finish(List<Object> done) throws KernelException {
      if (!goneDevices.isEmpty()) {
        PolicyDrops.forgetPorts(table.port(), goneDevices);
        goneDevices.clear();
      }
    }
  }

  /**
   * Removes the table, if it is ours, with all that is in it; nothing else.
   *
   * @return whether there was one of ours
   * @throws KernelException when the kernel refused
   */
  public boolean removeAll() throws KernelException {
    return table.removeAll();
  }

  @Override
  public void close() {
    table.close();
  }
}
