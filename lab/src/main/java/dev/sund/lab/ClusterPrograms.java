package dev.sund.lab;

import dev.sund.agent.verify.NodeVerification;
import dev.sund.dataplane.Lift;
import dev.sund.dataplane.NodeReading;
import dev.sund.dataplane.Verify;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The nodes' programs at one moment.
 *
 * @param wanted what the API's objects ask for, given what each node's kernel has by itself
 * @param inForce what each node's kernel holds
 * @param drift where the two differ, one line each
 * @param conditions what the compiler found about the objects, without repeats
 */
record ClusterPrograms(
    Map<NodeName, PacketProgram> wanted,
    Map<NodeName, PacketProgram> inForce,
    List<String> drift,
    List<Condition> conditions) {

  /**
   * Compiles and lifts.
   *
   * @param dead nodes without a kernel
   * @param objects the API server's objects
   */
  static ClusterPrograms read(
      Scene scene, Topology topology, Set<NodeName> dead, List<Tree.Mapping> objects)
      throws KernelException {
    List<ClusterEvent> events = events(objects);
    Map<NodeName, PacketProgram> wanted = new TreeMap<>();
    Map<NodeName, PacketProgram> inForce = new TreeMap<>();
    List<String> drift = new ArrayList<>();
    List<Condition> conditions = new ArrayList<>();
    for (SceneNode node : scene.nodes()) {
      if (dead.contains(node.name())) {
        continue;
      }
      NetNs namespace = topology.machine(node.name().text());
      ProgramCompiler compiler = new ProgramCompiler(node.name(), scene.fabric());
      List<ClusterEvent> all = new ArrayList<>(events);
      // What the kernel has by itself is the same in force and wanted: it is no row of a program.
      NodeReading reading = NodeReading.of(namespace);
      PacketProgram bare = Lift.program(reading, PacketProgram.empty(node.name()));
      all.add(new ClusterEvent.FactsSeen(bare.facts()));
      all.add(
          NodeVerification.tunnelAddresses(
              node.name(), reading.links(), reading.addresses(), events));
      for (ScenePod pod : scene.pods()) {
        if (pod.node().equals(node.name()) && !pod.pod().hostNetwork()) {
          attachment(pod, topology).map(ClusterEvent.Attached::new).ifPresent(all::add);
        }
      }
      conditions.addAll(compiler.apply(all).conditions());
      PacketProgram want = compiler.program();
      wanted.put(node.name(), want);
      inForce.put(node.name(), Lift.program(reading, want));
      for (Condition condition : Verify.compare(reading, want).drift()) {
        drift.add("node " + node.name() + ": " + condition);
      }
    }
    return new ClusterPrograms(
        wanted, inForce, drift, conditions.stream().sorted().distinct().toList());
  }

  private static Optional<Attachment> attachment(ScenePod pod, Topology topology) {
    return topology
        .pod(pod.pod().key())
        .map(namespace ->
            new Attachment(
                "lab-" + pod.pod().uid(),
                "eth0",
                namespace.path().toString(),
                pod.pod().key(),
                pod.pod().uid(),
                pod.pod().ips()));
  }

  private static List<ClusterEvent> events(List<Tree.Mapping> objects) {
    List<ClusterEvent> events = new ArrayList<>();
    for (Tree.Mapping object : objects) {
      Kinds.of(object.text("apiVersion").orElse(""), object.text("kind").orElse(""))
          .flatMap(kind ->
              kind.ref(object)
                  .flatMap(ref -> {
                    var parsed = kind.parse(ref, object);
                    return parsed.value().isPresent() || parsed.problems().isEmpty()
                        ? parsed.value()
                        : Optional.of(Kinds.refused(ref, parsed.problems()));
                  }))
          .ifPresent(events::add);
    }
    events.add(new ClusterEvent.Synced());
    return events;
  }

  /** Whether every kernel holds what is wanted. */
  boolean settled() {
    return drift.isEmpty();
  }
}
