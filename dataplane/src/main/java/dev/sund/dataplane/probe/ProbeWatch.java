package dev.sund.dataplane.probe;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Waits on one node for probes that other nodes send, and follows them through its rules. From
 * {@link #open} to {@link #close} there is the table of a probe, with the same promises: it marks
 * packets for the kernel's tracing, decides nothing, and goes with the process. One platform
 * thread.
 */
public final class ProbeWatch implements AutoCloseable {
  private final NetNs node;
  private final List<WatchedPacket> packets;
  private final TracedFlow traced;

  private ProbeWatch(NetNs node, List<WatchedPacket> packets, TracedFlow traced) {
    this.node = node;
    this.packets = List.copyOf(packets);
    this.traced = traced;
  }

  /**
   * Begins.
   *
   * @param node the namespace whose rules are watched
   * @param packets what is waited for
   * @throws KernelException when the kernel refuses something, with the reason
   */
  public static ProbeWatch open(NetNs node, List<WatchedPacket> packets) throws KernelException {
    return new ProbeWatch(node, packets, TracedFlow.open(node, ProbeRules.of(packets)));
  }

  /** Takes what the kernel has told until now; how much that is in all. */
  public int poll() throws KernelException {
    traced.poll();
    return traced.told();
  }

  /** What became of each packet that is waited for, in their order; empty where it did not come. */
  public List<Optional<ProbeFinding>> findings() throws KernelException {
    List<Optional<ProbeFinding>> findings = new ArrayList<>();
    for (WatchedPacket packet : packets) {
      findings.add(traced.finding(packet));
    }
    return findings;
  }

  /** Removes the table, and the probes' connections from the node's table of connections. */
  @Override
  public void close() throws KernelException {
    try {
      for (Optional<ProbeFinding> finding : findings()) {
        if (finding.isPresent()) {
          KernelProbe.forget(node, finding.get().flow());
        }
      }
    } finally {
      traced.close();
    }
  }
}
