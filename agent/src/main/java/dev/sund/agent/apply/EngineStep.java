package dev.sund.agent.apply;

import dev.sund.agent.AgentMetrics;
import dev.sund.engine.Compilation;
import dev.sund.engine.FlannelSubnet;
import dev.sund.engine.NodeSummary;
import dev.sund.engine.PodDevices;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What the engine's thread does with a batch of events: compiles it and finds out what became of
 * the attachments in it. One thread.
 */
final class EngineStep {
  /** Whose ports at the node are mappings; others' are Services'. */
  private static final Set<String> PORT_OWNERS = Set.of("Pod", RuleId.CONTAINER);

  private final ProgramCompiler compiler;
  private final AgentMetrics metrics;
  private final LongSupplier nanos;
  private final Map<String, String> devices = new HashMap<>();
  private final Map<String, LocalPod> pods = new HashMap<>();
  private List<Condition> conditions = List.of();
  private Optional<String> hold = Optional.of("");
  private Consumer<FlannelSubnet> subnets = _ -> {};
  private Optional<FlannelSubnet> subnet = Optional.empty();
  private Consumer<Optional<AddressNotice>> notices = _ -> {};
  private Optional<AddressNotice> notice = Optional.empty();
  private ConntrackSettings table = ConntrackSettings.AS_IT_IS;
  private long number;

  EngineStep(ProgramCompiler compiler, AgentMetrics metrics, LongSupplier nanos) {
    this.compiler = compiler;
    this.metrics = metrics;
    this.nanos = nanos;
  }

  /** Tells from now on what flannel would tell of this node, whenever that changes. */
  void tellSubnets(Consumer<FlannelSubnet> listener) {
    subnets = listener;
  }

  /** The program in a few numbers. */
  NodeSummary summary() {
    return compiler.summary();
  }

  /**
   * Tells from now on what this node's object must say of its addresses, whenever that changes;
   * empty when it says so.
   */
  void tellNotices(Consumer<Optional<AddressNotice>> listener) {
    notices = listener;
  }

  private void tellNotice() {
    Optional<AddressNotice> now = compiler.noticeToGive();
    if (!now.equals(notice)) {
      notice = now;
      notices.accept(now);
    }
  }

  private void tellSubnet(boolean synced) {
    Optional<FlannelSubnet> now = synced ? compiler.flannelSubnet() : Optional.empty();
    if (now.isPresent() && !now.equals(subnet)) {
      subnet = now;
      subnets.accept(now.get());
    }
  }

  /** Compiles a batch; empty when nothing that matters to the data plane came of it. */
  Optional<Handover> compile(List<ClusterEvent> batch) {
    if (batch.isEmpty()) {
      return Optional.empty();
    }
    long began = nanos.getAsLong();
    Compilation compilation = compiler.apply(batch);
    double seconds = (nanos.getAsLong() - began) / 1e9;
    metrics.compileSeconds.observe(seconds);
    if (compilation.delta().policy().size() > 0) {
      metrics.policy.compileSeconds.observe(seconds);
    }
    metrics.events.inc(batch.size());
    tellSubnet(compilation.synced());
    tellNotice();
    Map<String, LocalPod> gone = notePods(compilation.delta());
    count(compilation.delta());
    Optional<String> holdNow = hold(compilation);
    List<Handover.Coming> attached = new ArrayList<>();
    List<Handover.Going> detached = new ArrayList<>();
    List<String> tickets = new ArrayList<>();
    Optional<ConntrackSettings> conntrack = Optional.empty();
    for (ClusterEvent event : batch) {
      if (event instanceof ClusterEvent.Attached(Attachment attachment)) {
        attached.add(coming(attachment, compilation));
      } else if (event instanceof ClusterEvent.Detached(String key)) {
        String device = devices.remove(key);
        detached.add(
            new Handover.Going(key, Optional.ofNullable(device == null ? null : gone.get(device))));
      } else if (event instanceof ClusterEvent.ConntrackSet(ConntrackSettings settings)) {
        table = settings.withTcpFromStart(table.tcpFromStart());
        conntrack = Optional.of(table);
      } else if (event instanceof ClusterEvent.StrictSet(boolean strict)) {
        // A packet of a connection that was cut must not begin it again from the other side.
        table = table.withTcpFromStart(strict);
        conntrack = Optional.of(table);
      } else if (event instanceof ClusterEvent.NetworkSeen
          || event instanceof ClusterEvent.NetworkGone
          || event instanceof ClusterEvent.PortsSeen
          || event instanceof ClusterEvent.PortsGone
          || event instanceof ClusterEvent.BridgeJoined
          || event instanceof ClusterEvent.BridgeLeft) {
        tickets.add(ApplyLoop.ticket(event));
      }
    }
    if (compilation.delta().equals(ProgramDelta.NONE)
        && compilation.conditions().equals(conditions)
        && holdNow.equals(hold)
        && attached.isEmpty()
        && detached.isEmpty()
        && compilation.serving().isEmpty()
        && conntrack.isEmpty()
        && tickets.isEmpty()) {
      return Optional.empty();
    }
    conditions = compilation.conditions();
    hold = holdNow;
    number++;
    return Optional.of(
        new Handover(
            number,
            compilation.delta(),
            conditions,
            hold,
            attached,
            detached,
            compilation.serving(),
            conntrack,
            tickets));
  }

  /**
   * Before the first full list, and while the cluster does not know this node, the program is not
   * what the node should do: the kernel stays as it is.
   */
  private static Optional<String> hold(Compilation compilation) {
    if (!compilation.synced()) {
      return Optional.of("The first list of the cluster's objects is not here yet.");
    }
    return compilation.conditions().stream()
        .filter(condition -> condition.reason() == Reason.NODE_UNKNOWN)
        .findFirst()
        .map(condition -> condition.object() + ": " + condition.text());
  }

  private void count(ProgramDelta delta) {
    count("localPods", delta.localPods());
    count("routes", delta.routes());
    count("tunnels", delta.tunnels());
    count("tunnelPeers", delta.tunnelPeers());
    count("masquerade", delta.masquerade());
    count("frontends", delta.frontends());
    count("endpoints", delta.endpoints());
    count("sourceRanges", delta.sourceRanges());
    count("policyPods", delta.policy().pods());
    count("policyPorts", delta.policy().ports());
    count("policyPeers", delta.policy().peers());
    count("policyVerdicts", delta.policy().verdicts());
    for (Change<Frontend.Key, Frontend> change : delta.frontends()) {
      change.before().ifPresent(frontend -> countPort(frontend, -1));
      change.after().ifPresent(frontend -> countPort(frontend, 1));
    }
  }

  /** Follows how many places at the node lead to pods and containers, without any Service. */
  private void countPort(Frontend frontend, int more) {
    String kind = frontend.rule().object().kind();
    if (PORT_OWNERS.contains(kind)) {
      metrics.portMappings.labelValues(kind).inc(more);
    }
  }

  private <K, V> void count(String table, List<Change<K, V>> changes) {
    int more = 0;
    for (Change<K, V> change : changes) {
      more += (change.after().isPresent() ? 1 : 0) - (change.before().isPresent() ? 1 : 0);
    }
    metrics.programEntries.labelValues(table).inc(more);
  }

  /** Follows the table of pods; returns the rows that went. */
  private Map<String, LocalPod> notePods(ProgramDelta delta) {
    Map<String, LocalPod> gone = new HashMap<>();
    for (Change<String, LocalPod> change : delta.localPods()) {
      switch (change) {
        case Change.Put<String, LocalPod>(String device, LocalPod row, _) -> pods.put(device, row);
        case Change.Remove<String, LocalPod>(String device, LocalPod was) -> {
          pods.remove(device);
          gone.put(device, was);
        }
      }
    }
    return gone;
  }

  private Handover.Coming coming(Attachment attachment, Compilation compilation) {
    String device = PodDevices.device(attachment);
    devices.put(attachment.key(), device);
    LocalPod row = pods.get(device);
    if (row != null && row.addresses().equals(attachment.addresses())) {
      return new Handover.Coming(device, attachment, Optional.of(row), List.of());
    }
    ObjectRef pod = new ObjectRef("Pod", attachment.pod().toString());
    List<Condition> why =
        compilation.conditions().stream()
            .filter(condition -> condition.object().equals(pod))
            .toList();
    return new Handover.Coming(device, attachment, Optional.empty(), why);
  }
}
