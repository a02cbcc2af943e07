package dev.sund.engine;

import dev.sund.engine.program.Frontend;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;

/** What a batch of events may have changed: the keys under which rows are made anew. */
final class Touched {
  /** A value that all rows share has changed: this node's own end, the pools, the facts. */
  boolean everything;

  /**
   * Ranges whose route or masquerade rows may differ, in the order of events: lists come sorted,
   * and what is nearly sorted is soon sorted.
   */
  final Set<Prefix> ranges = new LinkedHashSet<>();

  /** Nodes whose tunnel peer, conditions, or routes may differ. */
  final Set<NodeName> nodes = new HashSet<>();

  /** Blocks of pools' addresses whose conditions may differ. */
  final Set<String> blocks = new HashSet<>();

  /** Devices of pods whose row may differ. */
  final Set<String> devices = new HashSet<>();

  /** Ports of bridges. */
  final Set<String> bridgePorts = new HashSet<>();

  /** Frontends that may differ, with their endpoints. */
  final Set<Frontend.Key> frontends = new HashSet<>();

  /** Services whose conditions may differ, or who answers for them. */
  final Set<ServiceKey> services = new HashSet<>();

  /** Zones in which no node is any more. */
  final Set<String> lostZones = new HashSet<>();

  /** Nodes that are gone. */
  final Set<NodeName> lostNodes = new HashSet<>();

  /** Objects that were refused, or are not any more. */
  final Set<ObjectRef> refusals = new HashSet<>();

  /** Pods whose conditions may differ. */
  final Set<PodKey> pods = new HashSet<>();
}
