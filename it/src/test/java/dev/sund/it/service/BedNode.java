package dev.sund.it.service;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.FactsReader;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.Lift;
import dev.sund.dataplane.PodDriver;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.Verify;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.PodDevices;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A node of the bed: the real compiler and the real drivers, without an agent around them. */
public final class BedNode implements AutoCloseable {
  private static final int ROUNDS = 20;

  private final NetNs namespace;
  private final ProgramCompiler compiler;
  private final SocketRoutes kernel;
  private final Dataplane dataplane;

  private BedNode(
      NetNs namespace, ProgramCompiler compiler, SocketRoutes kernel, Dataplane dataplane) {
    this.namespace = namespace;
    this.compiler = compiler;
    this.kernel = kernel;
    this.dataplane = dataplane;
  }

  /** Brings drivers to a node's namespace; nothing is written yet. */
  public static BedNode open(
      Dataplanes kind, NodeName name, FabricSettings fabric, NetNs namespace, Path state)
      throws KernelException {
    SocketRoutes kernel = SocketRoutes.open(namespace, FailPoint.NONE);
    BedNode node =
        new BedNode(
            namespace,
            new ProgramCompiler(name, fabric),
            kernel,
            kind.open(kernel, namespace, state));
    node.dataplane.resync();
    return node;
  }

  NetNs namespace() {
    return namespace;
  }

  ProgramCompiler compiler() {
    return compiler;
  }

  /** What the kernel has by itself. */
  public ClusterEvent facts() throws KernelException {
    return new ClusterEvent.FactsSeen(new FactsReader(kernel).read());
  }

  /** Tells the compiler, and brings the kernel to what follows. */
  public void tell(List<ClusterEvent> events) {
    for (ClusterEvent event : events) {
      if (event instanceof ClusterEvent.Attached(Attachment attachment)) {
        dataplane
            .driver(PodDriver.class)
            .orElseThrow()
            .place(
                PodDevices.device(attachment),
                new PodDriver.Place(Path.of(attachment.netns()), attachment.interfaceName()));
      }
    }
    var compilation = compiler.apply(events);
    dataplane.want(compilation.delta());
    if (compilation.synced()) {
      dataplane.allowSweep();
    }
    List<Object> failed = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      ApplyReport report = dataplane.apply(1000);
      failed.addAll(report.failed());
      if (dataplane.pending() == 0) {
        break;
      }
    }
    if (dataplane.pending() > 0 || !dataplane.conditions().isEmpty()) {
      throw new AssertionError(
          dataplane.pending() + " pending, " + dataplane.conditions() + " " + failed);
    }
  }

  /** Looks at the kernel and mends it, as an agent does who hears that others changed it. */
  void repair() throws KernelException {
    dataplane.resync();
    tell(List.of());
  }

  /** What is wanted of the kernel. */
  public PacketProgram wanted() {
    return compiler.program();
  }

  /** Where the kernel differs from the program, as {@code sund verify} says it. */
  List<Condition> verify() throws KernelException {
    return Verify.node(namespace, compiler.program()).drift();
  }

  /** What the kernel holds. */
  public PacketProgram inForce() throws KernelException {
    return Lift.node(namespace, compiler.program());
  }

  @Override
  public void close() {
    dataplane.close();
    kernel.close();
  }
}
