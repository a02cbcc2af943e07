package dev.sund.agent.apply;

import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.SourceRange;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Changes of the program that must wait, since what the cluster wants is not known: of each key the
 * last, so that they take no more room than the program however long they wait. One thread.
 */
final class HeldChanges {
  private final Table<String, LocalPod> localPods = new Table<>();
  private final Table<Prefix, Route> routes = new Table<>();
  private final Table<String, Tunnel> tunnels = new Table<>();
  private final Table<TunnelPeer.Key, TunnelPeer> tunnelPeers = new Table<>();
  private final Table<Masquerade.Key, Masquerade> masquerade = new Table<>();
  private final Table<Frontend.Key, Frontend> frontends = new Table<>();
  private final Table<Endpoint.Key, Endpoint> endpoints = new Table<>();
  private final Table<SourceRange.Key, SourceRange> sourceRanges = new Table<>();
  private final Table<PodPolicy.Key, PodPolicy> policyPods = new Table<>();
  private final Table<PolicyPort.Key, PolicyPort> policyPorts = new Table<>();
  private final Table<Prefix, PolicyPeer> policyPeers = new Table<>();
  private final Table<PolicyVerdict.Key, PolicyVerdict> policyVerdicts = new Table<>();
  private final Table<String, BridgePort> bridgePorts = new Table<>();

  /** Keeps changes until {@link #release}. */
  void hold(ProgramDelta delta) {
    delta.localPods().forEach(localPods::add);
    delta.routes().forEach(routes::add);
    delta.tunnels().forEach(tunnels::add);
    delta.tunnelPeers().forEach(tunnelPeers::add);
    delta.masquerade().forEach(masquerade::add);
    delta.frontends().forEach(frontends::add);
    delta.endpoints().forEach(endpoints::add);
    delta.sourceRanges().forEach(sourceRanges::add);
    delta.policy().pods().forEach(policyPods::add);
    delta.policy().ports().forEach(policyPorts::add);
    delta.policy().peers().forEach(policyPeers::add);
    delta.policy().verdicts().forEach(policyVerdicts::add);
    delta.bridgePorts().forEach(bridgePorts::add);
  }

  /** All that was held, as one change; nothing is held afterwards. */
  ProgramDelta release() {
    return new ProgramDelta(
        localPods.release(),
        routes.release(),
        tunnels.release(),
        tunnelPeers.release(),
        masquerade.release(),
        frontends.release(),
        endpoints.release(),
        sourceRanges.release(),
        new PolicyDelta(
            policyPods.release(),
            policyPorts.release(),
            policyPeers.release(),
            policyVerdicts.release()),
        bridgePorts.release());
  }

  private static final class Table<K extends Comparable<K>, V> {
    private final TreeMap<K, Change<K, V>> changes = new TreeMap<>();

    void add(Change<K, V> change) {
      Change<K, V> before = changes.get(change.key());
      Optional<V> was = (before == null ? change : before).before();
      switch (change) {
        case Change.Put<K, V>(K key, V value, Optional<V> _) ->
            changes.put(key, new Change.Put<>(key, value, was));
        case Change.Remove<K, V>(K key, V _) ->
            was.ifPresentOrElse(
                row -> changes.put(key, new Change.Remove<>(key, row)), () -> changes.remove(key));
      }
    }

    List<Change<K, V>> release() {
      List<Change<K, V>> all = new ArrayList<>(changes.values());
      changes.clear();
      return all;
    }
  }
}
