package dev.sund.engine.policy;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Whom rules name, which addresses fit, and the rows that say of which class an address is. */
final class Peers {
  private final Roster roster;
  private final Classes classes;
  private final Ranges ranges = new Ranges();
  private final Map<Policy.Peer, Atom> atoms = new HashMap<>();
  private final Map<Policy.NamedPort, PortName> names = new HashMap<>();

  /** Everyone: no part of classes, but rules for everyone have names of ports too. */
  private final Atom anyone = new Atom(new Policy.Anyone());

  private final Set<Atom> touched = new LinkedHashSet<>();
  private final Set<PortName> touchedNames = new LinkedHashSet<>();

  /** Ranges whose row may differ. */
  private final Set<Prefix> stale = new LinkedHashSet<>();

  private final Rows<Prefix, PolicyPeer> rows = new Rows<>();

  /** What a row is to be. */
  private record Row(PeerClass peers, RuleId rule) {}

  /** What is the same for all addresses of a pod: the atoms that select it. */
  private record Selected(KnownPod pod, List<Atom> atoms, RuleId rule) {}

  private @Nullable Selected last;

  Peers(Roster roster, Classes classes) {
    this.roster = roster;
    this.classes = classes;
  }

  Rows<Prefix, PolicyPeer> rows() {
    return rows;
  }

  /** Other atoms may fit these addresses. */
  void touch(Collection<Ip> addresses) {
    addresses.forEach(ip -> stale.add(Prefix.host(ip)));
  }

  /** A policy concerns a pod of this node: its rules' peers are looked for. */
  void acquire(Stated policy) {
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      for (StatedRule rule : policy.rules(direction)) {
        rule.portNames = direction == Direction.EGRESS ? namesOf(rule) : List.of();
        List<Atom> found = new ArrayList<>();
        for (Policy.Peer peer : rule.peers) {
          Atom atom = atomOf(peer);
          touched.add(atom);
          atom.rules.add(rule);
          for (PortName name : rule.portNames) {
            name.uses++;
            atom.renamed |= atom.names.merge(name, 1, Integer::sum) == 1;
          }
          if (atom != anyone) {
            found.add(atom);
          }
        }
        rule.atoms = List.copyOf(found);
      }
    }
  }

  /** A policy concerns none of this node's pods any more. */
  void release(Stated policy) {
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      for (StatedRule rule : policy.rules(direction)) {
        for (Policy.Peer peer : rule.peers) {
          Atom atom = atomOf(peer);
          touched.add(atom);
          atom.rules.remove(rule);
          for (PortName name : rule.portNames) {
            name.uses--;
            touchedNames.add(name);
            atom.renamed |=
                atom.names.merge(name, -1, (was, less) -> was + less == 0 ? null : was + less)
                    == null;
          }
        }
      }
    }
  }

  private Atom atomOf(Policy.Peer peer) {
    return peer instanceof Policy.Anyone ? anyone : atoms.computeIfAbsent(peer, Atom::new);
  }

  private List<PortName> namesOf(StatedRule rule) {
    return rule.names.stream().map(name -> names.computeIfAbsent(name, PortName::new)).toList();
  }

  /** What has come of the classes, and the names that mean other ports than before. */
  record Settled(List<Classes.Moved> moved, Set<PortName> names) {}

  /** Makes the rows anew that may differ. */
  Settled settle() {
    touched.forEach(this::settle);
    touched.clear();
    last = null;
    Map<Prefix, Optional<Row>> wanted = new LinkedHashMap<>();
    for (Prefix range : stale) {
      Optional<Row> row = row(range);
      @Nullable PolicyPeer was = rows.get(range);
      row.ifPresent(now -> classes.gains(now.peers()));
      if (was != null) {
        classes.loses(classes.numbered(was.peerClass()));
      }
      if (row.isPresent() || was != null) {
        wanted.put(range, row);
      }
    }
    stale.clear();
    List<Classes.Moved> moved = classes.settle();
    Map<Integer, Integer> renumbered = new HashMap<>();
    Set<PortName> otherPorts = new LinkedHashSet<>();
    for (Classes.Moved one : moved) {
      PeerClass peers = one.peers();
      if (one.was() == 0) {
        peers.atoms.forEach(atom -> atom.classes.add(peers));
        peers.ports.forEach((name, codes) -> {
          name.classes.add(peers);
          if (name.means(codes)) {
            otherPorts.add(name);
          }
        });
      } else if (one.now() == 0) {
        peers.atoms.forEach(atom -> atom.classes.remove(peers));
        peers.ports.forEach((name, codes) -> {
          name.classes.remove(peers);
          if (name.meansNoMore(codes)) {
            otherPorts.add(name);
          }
        });
      } else {
        renumbered.put(one.was(), one.now());
      }
    }
    renumber(renumbered, wanted.keySet());
    wanted.forEach((range, row) -> {
      if (row.isPresent()) {
        rows.put(range, new PolicyPeer(range, row.get().peers().number, row.get().rule()));
      } else {
        rows.remove(range);
      }
    });
    touchedNames.forEach(name -> {
      if (name.uses == 0) {
        names.remove(name.content);
      }
    });
    touchedNames.clear();
    return new Settled(moved, otherPorts);
  }

  private void renumber(Map<Integer, Integer> renumbered, Set<Prefix> except) {
    if (renumbered.isEmpty()) {
      return;
    }
    for (PolicyPeer row : List.copyOf(rows.all().values())) {
      @Nullable Integer now = renumbered.get(row.peerClass());
      if (now != null && !except.contains(row.range())) {
        rows.put(row.range(), new PolicyPeer(row.range(), now, row.rule()));
      }
    }
  }

  /** Finds the addresses that an atom or its names concern, where either has come or gone. */
  private void settle(Atom atom) {
    boolean lives = atom.isNamed();
    boolean turns = lives != atom.live;
    switch (atom.content) {
      case Policy.Anyone() -> {
        if (atom.renamed) {
          touchPods(roster.namespaces(), pod -> !pod.ports().isEmpty());
        }
      }
      case Policy.Pods pods -> {
        if (turns) {
          roster.indexOfPods(atom, pods, lives);
        }
        if (turns || atom.renamed) {
          touchPods(selected(pods), pod -> pods.pods().matches(pod.labels()));
        }
      }
      case Policy.Nodes(var nodes) -> {
        if (turns) {
          roster.indexOfNodes(atom, lives);
        }
        if (turns || atom.renamed) { // a pod that claims a node's address has names of ports
          for (Node node : roster.nodes()) {
            if (nodes.matches(node.labels())) {
              touch(node.peerAddresses());
            }
          }
        }
      }
      case Policy.Block block -> settle(atom, block, lives, turns);
    }
    atom.renamed = false;
    atom.live = lives;
    if (!lives && atom != anyone) {
      atoms.remove(atom.content);
    }
  }

  private void settle(Atom atom, Policy.Block block, boolean lives, boolean turns) {
    if (turns) {
      ranges.index(atom, block, lives);
      stale.addAll(Ranges.within(rows.all(), block.range()).keySet());
      stale.addAll(Ranges.within(ranges.rows(), block.range()).keySet());
    }
    stale.addAll(Ranges.rowsOf(block)); // another rule may be the first to name them
    if (atom.renamed) {
      for (Ip ip : roster.held()) {
        if (block.range().contains(ip)) {
          stale.add(Prefix.host(ip));
        }
      }
    }
  }

  private Collection<KnownNamespace> selected(Policy.Pods pods) {
    if (pods.namespace().isPresent()) {
      return List.of(roster.namespace(pods.namespace().get()));
    }
    return roster.namespaces().stream()
        .filter(namespace -> namespace.isSelectedBy(pods.namespaces()))
        .toList();
  }

  private void touchPods(Collection<KnownNamespace> among, Predicate<PolicyPod> which) {
    for (KnownNamespace namespace : among) {
      for (KnownPod pod : namespace.pods.values()) {
        if (pod.told != null && which.test(pod.told)) {
          touch(pod.addresses());
        }
      }
    }
  }

  /** The row of a range by what is so now; none where what is around it says the same. */
  private Optional<Row> row(Prefix range) {
    List<Atom> fit = new ArrayList<>();
    Optional<RuleId> rule = Optional.empty();
    @Nullable PolicyPod pod = null;
    if (range.isHost()) {
      @Nullable KnownPod holder = roster.holder(range.address());
      if (holder != null && holder.told != null) {
        pod = holder.told;
        Selected selected = selected(holder, pod);
        fit.addAll(selected.atoms());
        rule = Optional.of(selected.rule());
      }
      for (Node node : roster.nodesAt(range.address())) {
        if (pod != null && !node.everyAddress().contains(range.address())) {
          continue; // Calico gives pods the first address of a range too
        }
        for (Atom atom : roster.ofNodes()) {
          if (atom.content instanceof Policy.Nodes(var nodes)
              && nodes.matches(node.labels())
              && !fit.contains(atom)) {
            fit.add(atom);
            rule = rule.or(() -> Optional.of(RuleId.of("Node", node.name().text(), node.uid())));
          }
        }
      }
    }
    int byThemselves = fit.size();
    ranges.containing(range, fit::add);
    SortedMap<PortName, NavigableSet<Integer>> ports = ports(pod, fit);
    if (byThemselves == 0 && ports.isEmpty()) {
      if (!ranges.isRow(range)) {
        return Optional.empty();
      }
      rule = ranges.namer(range);
    }
    fit.sort(null);
    return Optional.of(
        new Row(classes.the(new PeerClass(List.copyOf(fit), ports)), rule.orElseThrow()));
  }

  private Selected selected(KnownPod holder, PolicyPod pod) {
    if (last == null || last.pod() != holder) {
      List<Atom> found = new ArrayList<>();
      roster
          .namespace(holder.key.namespace())
          .eachAtom(atom -> {
            if (atom.content instanceof Policy.Pods pods && pods.pods().matches(pod.labels())) {
              found.add(atom);
            }
          });
      last = new Selected(holder, found, holder.rule());
    }
    return last;
  }

  /** What a pod means by the names that rules for it use. */
  private SortedMap<PortName, NavigableSet<Integer>> ports(
      @Nullable PolicyPod pod, List<Atom> fit) {
    SortedMap<PortName, NavigableSet<Integer>> found = new TreeMap<>();
    if (pod == null || names.isEmpty() || pod.ports().isEmpty()) {
      return found;
    }
    Set<PortName> used = new HashSet<>(anyone.names.keySet());
    fit.forEach(atom -> used.addAll(atom.names.keySet()));
    for (PortName name : used) {
      NavigableSet<Integer> meant = PortName.meant(name.content, pod.ports());
      if (!meant.isEmpty()) {
        found.put(name, meant);
      }
    }
    return found;
  }
}
