package dev.sund.bench.traffic;

import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.FactsReader;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.PodDriver;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.engine.Compilation;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.PodDevices;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A node whose network the real compiler and the real drivers set up, without an agent's loop. */
public final class OurNode implements AutoCloseable {
  private final ProgramCompiler compiler;
  private final SocketRoutes kernel;
  private final Dataplane dataplane;

  /**
   * Takes a namespace over.
   *
   * @param state an empty folder
   */
  public OurNode(NodeName name, NetNs namespace, Path state) throws IOException {
    compiler = new ProgramCompiler(name, FabricSettings.DEFAULT);
    kernel = SocketRoutes.open(namespace);
    dataplane =
        Dataplane.of(
            kernel, state, new NftDriver(NftPort.over(NftSocket.open(namespace)), FailPoint.NONE));
    tell(List.of(new ClusterEvent.FactsSeen(new FactsReader(kernel).read())));
    dataplane.resync();
  }

  /** Tells the compiler and hands what follows to the drivers; nothing is written yet. */
  public void tell(List<? extends ClusterEvent> events) {
    Compilation compilation = compiler.apply(List.copyOf(events));
    dataplane.want(compilation.delta());
    if (compilation.synced()) {
      dataplane.allowSweep();
    }
  }

  /** Writes all that is pending. */
  public void settle() throws IOException {
    for (int round = 0; round < 100 && dataplane.pending() > 0; round++) {
      dataplane.apply(100_000);
    }
    if (dataplane.pending() > 0 || !dataplane.conditions().isEmpty()) {
      throw new IOException("not all could be written: " + dataplane.conditions());
    }
  }

  /** Gives a pod its network. */
  public void attach(Attachment attachment) throws IOException {
    dataplane
        .driver(PodDriver.class)
        .orElseThrow()
        .place(
            PodDevices.device(attachment),
            new PodDriver.Place(Path.of(attachment.netns()), attachment.interfaceName()));
    tell(List.of(new ClusterEvent.Attached(attachment)));
    settle();
  }

  /** What it wants. */
  public PacketProgram program() {
    return compiler.program();
  }

  @Override
  public void close() {
    dataplane.close();
    kernel.close();
  }
}
