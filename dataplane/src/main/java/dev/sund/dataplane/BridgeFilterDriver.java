package dev.sund.dataplane;

import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.BridgeFilter;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Keeps the bridges that Sund made showing the node's rules what goes from one of their ports to
 * another: policies between two pods of a bridge need that, and Services that lead back onto it.
 * Which settings the namespace has for all bridges makes no difference, and bridges of others stay
 * as they are.
 *
 * <p><b>How does a restarted agent know that a bridge is ours?</b> By its link group and ifalias,
 * see {@link BridgeLinks}, which makes them so; this one only puts right what somebody has switched
 * off. <b>What happens to packets if we die right here?</b> The setting is the bridge's and stays
 * with it. While it is off, what concerns pods with policies is dropped on the bridge, see {@code
 * BridgeLowering}.
 *
 * <p>On the dataplane thread.
 */
public final class BridgeFilterDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "bridges";

  private final KernelRoutes kernel;
  private final TreeMap<String, Integer> toSet = new TreeMap<>();
  private final TreeMap<String, Integer> held = new TreeMap<>();
  private final Problems problems = new Problems();

  /**
   * A driver for the namespace of {@code kernel}.
   *
   * @param kernel closed by whoever opened it
   */
  public BridgeFilterDriver(KernelRoutes kernel) {
    this.kernel = kernel;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void want(ProgramDelta delta) {} // bridges come and go with CNI calls

  @Override
  public ApplyReport resync() throws KernelException {
    Map<String, Integer> off = unfiltered(kernel);
    toSet.clear();
    held.clear();
    problems.clear();
    toSet.putAll(off);
    return ApplyReport.of(conditions(off));
  }

  /** The bridges of ours that are not as they should be, with their ifindexes. */
  private static Map<String, Integer> unfiltered(KernelRoutes kernel) throws KernelException {
    Map<String, Integer> off = new TreeMap<>();
    for (Link link : kernel.links()) {
      if (link.group() == Marks.GROUP_BRIDGES && RowReader.isBridge(link)) {
        Optional<BridgeFilter> filter = kernel.bridgeFilter(link.index());
        if (filter.isPresent() && !filter.get().equals(BridgeFilter.ON)) {
          off.put(link.name(), link.index());
        }
      }
    }
    return off;
  }

  /**
   * What {@code sund verify} says: one for each bridge of ours that hides packets.
   *
   * @throws KernelException when the kernel could not be read
   */
  static List<Condition> verify(KernelRoutes kernel) throws KernelException {
    return conditions(unfiltered(kernel));
  }

  private static List<Condition> conditions(Map<String, Integer> off) {
    List<Condition> conditions = new ArrayList<>();
    for (String bridge : off.keySet()) {
      conditions.add(
          new Condition(
              Reason.DRIFT_CHANGED,
              new ObjectRef("bridge", bridge),
              "nf_call",
              "nf_call_iptables or nf_call_ip6tables is 0 and should be 1: the node's rules do not"
                  + " see what goes between its ports.",
              "A running agent puts it right within a second."));
    }
    return conditions;
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    Problems.Log log = new Problems.Log();
    if (step == Step.PUT) {
      Map.copyOf(toSet).forEach((bridge, index) -> set(bridge, index, log));
    }
    return log.report(pending(), problems);
  }

  private void set(String bridge, int index, Problems.Log log) {
    ObjectRef object = new ObjectRef("bridge", bridge);
    toSet.remove(bridge);
    problems.clear(object);
    log.sent(1);
    try {
      kernel
          .apply(NAME, List.of(new RouteRequest.SetBridgeFilter(index, bridge, BridgeFilter.ON)))
          .getFirst()
          .orThrow();
      log.done("set bridge " + bridge + " filtered");
    } catch (KernelException.NotFound _) {
      // it has gone
    } catch (KernelException e) {
      held.put(bridge, index);
      problems.put(Problems.refused(object, e));
      log.failed(Problems.refused(object, e), Optional.of(e));
    }
  }

  @Override
  public void allowSweep() {}

  @Override
  public void retry() {
    toSet.putAll(held);
    held.clear();
  }

  @Override
  public int pending() {
    return toSet.size();
  }

  @Override
  public void close() {}
}
