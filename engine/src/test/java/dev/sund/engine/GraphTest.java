package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.RandomCluster.History;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.SourceRange;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The program is a function of the last words about each object, and of nothing else. */
class GraphTest {
  private static final FabricSettings SETTINGS = FabricSettings.DEFAULT;

  @Test
  void everyStepGivesWhatAFreshStartWouldGive() {
    Property.forAll(
        2000,
        RandomCluster::history,
        History::smaller,
        history -> {
          ProgramCompiler compiler = compiler();
          List<ClusterEvent> soFar = new ArrayList<>();
          for (ClusterEvent event : history.events()) {
            soFar.add(event);
            Compilation step = compiler.apply(List.of(event));
            ProgramCompiler fresh = compiler();
            Compilation whole = fresh.apply(soFar);
            assertThat(compiler.program()).as("after %s", event).isEqualTo(fresh.program());
            assertThat(step.conditions()).as("after %s", event).isEqualTo(whole.conditions());
          }
        });
  }

  @Test
  void theOrderOfTheLastWordsDoesNotMatter() {
    Property.forAll(
        2000,
        RandomCluster::history,
        History::smaller,
        history -> {
          List<ClusterEvent> words = lastWords(history);
          Outcome asIs = play(batches(words));
          List<ClusterEvent> shuffled = new ArrayList<>(words);
          Collections.shuffle(shuffled, new Random(history.shuffle()));
          assertThat(play(singly(words.reversed()))).isEqualTo(asIs);
          assertThat(play(singly(shuffled))).isEqualTo(asIs);
          assertThat(play(singly(words))).isEqualTo(asIs);
        });
  }

  @Test
  void deltasAppliedToAShadowGiveTheProgram() {
    Property.forAll(
        2000,
        RandomCluster::history,
        History::smaller,
        history -> {
          ProgramCompiler compiler = compiler();
          Shadow shadow = new Shadow();
          for (List<ClusterEvent> batch : cut(history.events(), new Random(history.shuffle()))) {
            shadow.apply(compiler.apply(batch).delta());
          }
          PacketProgram program = compiler.program();
          assertThat(shadow.localPods).isEqualTo(program.localPods());
          assertThat(shadow.routes).isEqualTo(program.routes());
          assertThat(shadow.tunnels).isEqualTo(program.tunnels());
          assertThat(shadow.tunnelPeers).isEqualTo(program.tunnelPeers());
          assertThat(shadow.masquerade).isEqualTo(program.masquerade());
          assertThat(shadow.frontends).isEqualTo(program.frontends());
          assertThat(shadow.endpoints).isEqualTo(program.endpoints());
          assertThat(shadow.sourceRanges).isEqualTo(program.sourceRanges());
          assertThat(shadow.policy()).isEqualTo(program.policy());
        });
  }

  @Test
  void repeatsAndEmptyBatchesChangeNothing() {
    Property.forAll(
        1000,
        RandomCluster::history,
        History::smaller,
        history -> {
          ProgramCompiler compiler = compiler();
          compiler.apply(history.events());
          List<ClusterEvent> words = lastWords(history);
          for (ClusterEvent event : words) {
            assertThat(compiler.apply(List.of(event)).delta()).isEqualTo(ProgramDelta.NONE);
            assertThat(compiler.apply(List.of()).delta()).isEqualTo(ProgramDelta.NONE);
          }
        });
  }

  @Test
  void deletingAndAddingAgainComesBackToTheSame() {
    Property.forAll(
        1000,
        RandomCluster::history,
        History::smaller,
        history -> {
          List<ClusterEvent> words = lastWords(history);
          Outcome before = play(batches(words));
          List<ClusterEvent> more = new ArrayList<>(words);
          List<ClusterEvent> again = new ArrayList<>(words);
          Collections.shuffle(again, new Random(history.shuffle()));
          for (ClusterEvent event : again) {
            gone(event).ifPresent(more::add);
          }
          more.addAll(words);
          assertThat(play(singly(more))).isEqualTo(before);
        });
  }

  private record Outcome(PacketProgram program, List<Condition> conditions) {}

  private static Outcome play(List<List<ClusterEvent>> batches) {
    ProgramCompiler compiler = compiler();
    List<Condition> conditions = List.of();
    for (List<ClusterEvent> batch : batches) {
      conditions = compiler.apply(batch).conditions();
    }
    return new Outcome(compiler.program(), conditions);
  }

  private static ProgramCompiler compiler() {
    return new ProgramCompiler(RandomCluster.SELF, SETTINGS);
  }

  /** One event for each object: the last. A refusal keeps what was before and is left out. */
  private static List<ClusterEvent> lastWords(History history) {
    Map<ObjectRef, ClusterEvent> last = new LinkedHashMap<>();
    for (ClusterEvent event : history.events()) {
      if (!(event instanceof ClusterEvent.Refused)) {
        last.put(event.key(), event);
      }
    }
    return List.copyOf(last.values());
  }

  private static List<List<ClusterEvent>> batches(List<ClusterEvent> events) {
    return List.of(events);
  }

  private static List<List<ClusterEvent>> singly(List<ClusterEvent> events) {
    return events.stream().map(List::of).toList();
  }

  private static List<List<ClusterEvent>> cut(List<ClusterEvent> events, Random random) {
    List<List<ClusterEvent>> batches = new ArrayList<>();
    int from = 0;
    while (from < events.size()) {
      int to = Math.min(events.size(), from + random.nextInt(8));
      batches.add(events.subList(from, to));
      from = to;
    }
    return batches;
  }

  private static Optional<ClusterEvent> gone(ClusterEvent event) {
    return switch (event) {
      case ClusterEvent.NodeSeen(var node) -> Optional.of(new ClusterEvent.NodeGone(node.name()));
      case ClusterEvent.PodSeen(var pod) -> Optional.of(new ClusterEvent.PodGone(pod.key()));
      case ClusterEvent.PoolSeen(var pool) -> Optional.of(new ClusterEvent.PoolGone(pool.name()));
      case ClusterEvent.LayerSeen(var layer) ->
          Optional.of(new ClusterEvent.LayerGone(layer.source()));
      case ClusterEvent.BlockSeen(var block) ->
          Optional.of(new ClusterEvent.BlockGone(block.name()));
      case ClusterEvent.NamespaceSeen(var namespace) ->
          Optional.of(new ClusterEvent.NamespaceGone(namespace.name()));
      case ClusterEvent.Attached(var attachment) ->
          Optional.of(new ClusterEvent.Detached(attachment.key()));
      case ClusterEvent.NetworkSeen(var network) ->
          Optional.of(new ClusterEvent.NetworkGone(network.name()));
      case ClusterEvent.PortsSeen(var container) ->
          Optional.of(new ClusterEvent.PortsGone(container.key()));
      case ClusterEvent.BridgeJoined(var port) ->
          Optional.of(new ClusterEvent.BridgeLeft(port.key()));
      case ClusterEvent.ServiceSeen(var service) ->
          Optional.of(new ClusterEvent.ServiceGone(service.key()));
      case ClusterEvent.SliceSeen(var slice) ->
          Optional.of(new ClusterEvent.SliceGone(slice.name()));
      case ClusterEvent.PolicySeen(var policy, _) ->
          Optional.of(new ClusterEvent.PolicyGone(policy.ref()));
      case ClusterEvent.NodeGone _,
          ClusterEvent.PortsGone _,
          ClusterEvent.BridgeLeft _,
          ClusterEvent.PodGone _,
          ClusterEvent.PoolGone _,
          ClusterEvent.LayerGone _,
          ClusterEvent.BlockGone _,
          ClusterEvent.ServiceGone _,
          ClusterEvent.SliceGone _,
          ClusterEvent.PolicyGone _,
          ClusterEvent.PoliciesTold _,
          ClusterEvent.ServicesSet _,
          ClusterEvent.ConntrackSet _,
          ClusterEvent.StrictSet _,
          ClusterEvent.ReservationSeen _,
          ClusterEvent.ReservationGone _,
          ClusterEvent.TunnelsAddressed _,
          ClusterEvent.NamespaceGone _,
          ClusterEvent.Detached _,
          ClusterEvent.NetworkGone _,
          ClusterEvent.Refused _,
          ClusterEvent.Synced _,
          ClusterEvent.FactsSeen _ ->
          Optional.empty();
    };
  }

  /** The tables as somebody has them who was told the deltas only. */
  private static final class Shadow {
    final NavigableMap<String, LocalPod> localPods = new TreeMap<>();
    final NavigableMap<Prefix, Route> routes = new TreeMap<>();
    final NavigableMap<String, Tunnel> tunnels = new TreeMap<>();
    final NavigableMap<TunnelPeer.Key, TunnelPeer> tunnelPeers = new TreeMap<>();
    final NavigableMap<Masquerade.Key, Masquerade> masquerade = new TreeMap<>();
    final NavigableMap<Frontend.Key, Frontend> frontends = new TreeMap<>();
    final NavigableMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>();
    final NavigableMap<SourceRange.Key, SourceRange> sourceRanges = new TreeMap<>();

    final NavigableMap<PodPolicy.Key, PodPolicy> policyPods = new TreeMap<>();
    final NavigableMap<PolicyPort.Key, PolicyPort> policyPorts = new TreeMap<>();
    final NavigableMap<Prefix, PolicyPeer> policyPeers = new TreeMap<>();
    final NavigableMap<PolicyVerdict.Key, PolicyVerdict> policyVerdicts = new TreeMap<>();

    PolicyTables policy() {
      return new PolicyTables(policyPods, policyPorts, policyPeers, policyVerdicts);
    }

    void apply(ProgramDelta delta) {
      apply(policyPods, delta.policy().pods());
      apply(policyPorts, delta.policy().ports());
      apply(policyPeers, delta.policy().peers());
      apply(policyVerdicts, delta.policy().verdicts());
      apply(localPods, delta.localPods());
      apply(routes, delta.routes());
      apply(tunnels, delta.tunnels());
      apply(tunnelPeers, delta.tunnelPeers());
      apply(masquerade, delta.masquerade());
      apply(frontends, delta.frontends());
      apply(endpoints, delta.endpoints());
      apply(sourceRanges, delta.sourceRanges());
    }

    private static <K, V> void apply(NavigableMap<K, V> table, List<Change<K, V>> changes) {
      for (Change<K, V> change : changes) {
        switch (change) {
          case Change.Put(var key, var value, var was) ->
              assertThat(Optional.ofNullable(table.put(key, value))).isEqualTo(was);
          case Change.Remove(var key, var was) -> assertThat(table.remove(key)).isEqualTo(was);
        }
      }
    }
  }
}
