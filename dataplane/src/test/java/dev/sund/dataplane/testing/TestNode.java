package dev.sund.dataplane.testing;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.FactsReader;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.PodDriver;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.nft.ForwardDriver;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.dataplane.xtables.LegacyForwardDriver;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.PodDevices;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.NodeName;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A node: its namespace, the real compiler and the real drivers; restarted at will. */
public final class TestNode {
  private final NodeName name;
  private final NetNs ns;
  private final Path state;
  private final List<Attachment> attachments = new ArrayList<>();
  private ProgramCompiler compiler;
  private SocketRoutes kernel;
  private Dataplane dataplane;

  TestNode(NodeName name, NetNs ns, Path state) {
    this.name = name;
    this.ns = ns;
    this.state = state;
  }

  /** A fresh agent's memory over whatever the kernel holds; reads it back. */
  public void start(FailPoint failPoint) {
    stop();
    try {
      compiler = new ProgramCompiler(name, FabricSettings.DEFAULT);
      kernel = SocketRoutes.open(ns, failPoint);
      dataplane =
          Dataplane.of(
              kernel,
              state,
              new NftDriver(NftPort.over(NftSocket.open(ns)), failPoint),
              new PolicyDriver(NftPort.ofPolicies(NftSocket.open(ns)), failPoint),
              new ForwardDriver(NftPort.over(NftSocket.open(ns))),
              LegacyForwardDriver.open(ns));
      facts();
      for (Attachment attachment : attachments) {
        place(attachment);
        tell(List.of(new ClusterEvent.Attached(attachment)));
      }
      dataplane.resync();
    } catch (KernelException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Forgets everything; the kernel stays as it is. */
  public void stop() {
    if (kernel != null) {
      dataplane.close();
      kernel.close();
      kernel = null;
    }
  }

  /** Tells the compiler, and the drivers what follows. */
  public void tell(List<? extends ClusterEvent> events) {
    var compilation = compiler.apply(List.copyOf(events));
    dataplane.want(compilation.delta());
    if (compilation.synced()) {
      dataplane.allowSweep();
    }
  }

  /** Reads the facts again and tells them. */
  public void facts() {
    try {
      tell(List.of(new ClusterEvent.FactsSeen(new FactsReader(kernel).read())));
    } catch (KernelException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Applies until nothing is pending. */
  public ApplyReport settle() {
    ApplyReport all = ApplyReport.NOTHING;
    for (int i = 0; i < 20; i++) {
      ApplyReport one = dataplane.apply(1000);
      all = all.plus(one);
      if (dataplane.pending() == 0) {
        return new ApplyReport(
            all.done(), 0, all.failed(), one.conditions(), all.messages(), all.resetDevices());
      }
    }
    throw new AssertionError("still pending: " + all);
  }

  /** Reads the kernel back and applies what differs. */
  public ApplyReport repair() {
    try {
      dataplane.resync();
    } catch (KernelException e) {
      throw new UncheckedIOException(e);
    }
    return settle();
  }

  void attach(Attachment attachment) {
    attachments.add(attachment);
    place(attachment);
    tell(List.of(new ClusterEvent.Attached(attachment)));
    settle();
  }

  /** Takes a pod's network away. */
  public ApplyReport detach(TestPod pod) {
    attachments.remove(pod.attachment());
    tell(List.of(new ClusterEvent.Detached(pod.attachment().key())));
    ApplyReport report = settle();
    pods().forget(pod.device());
    return report;
  }

  private void place(Attachment attachment) {
    pods()
        .place(
            PodDevices.device(attachment),
            new PodDriver.Place(Path.of(attachment.netns()), attachment.interfaceName()));
  }

  private PodDriver pods() {
    return dataplane.driver(PodDriver.class).orElseThrow();
  }

  /** The node's name. */
  public NodeName name() {
    return name;
  }

  /** Its namespace. */
  public NetNs ns() {
    return ns;
  }

  /** Its state directory. */
  public Path state() {
    return state;
  }

  /** What it wants. */
  public PacketProgram program() {
    return compiler.program();
  }

  /** Its drivers. */
  public Dataplane dataplane() {
    return dataplane;
  }

  /** Its side of the kernel. */
  public SocketRoutes kernel() {
    return kernel;
  }

  /** Runs a program in its namespace. */
  public String run(String... command) {
    return Testbed.run(ns, command);
  }
}
