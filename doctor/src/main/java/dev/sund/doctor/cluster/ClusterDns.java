package dev.sund.doctor.cluster;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Line;
import dev.sund.doctor.LineText;
import dev.sund.doctor.Rights;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.dns.DnsClient;
import dev.sund.doctor.dns.DnsQuestions;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import java.time.Duration;
import java.util.Optional;

/**
 * Tells the fact {@value dev.sund.doctor.Facts#CLUSTER_DNS}: what the addresses of the cluster's
 * DNS Service answer to this node, a few small questions by UDP and one by TCP.
 */
public final class ClusterDns implements Facts {
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int TIMES = 5;

  /** Whatever the cluster's domain is: that there is no such name is an answer, too. */
  private static final String NAME = "kubernetes.default.svc.cluster.local";

  private final Facts cluster;
  private final NetNs node;

  /**
   * Questions of a node.
   *
   * @param cluster tells the fact {@link Facts#CLUSTER}
   * @param node from which network they are asked
   */
  public ClusterDns(Facts cluster, NetNs node) {
    this.cluster = cluster;
    this.node = node;
  }

  @Override
  public String tell(String name) throws UnreadException {
    LineText text = new LineText();
    DnsQuestions questions = new DnsQuestions(new DnsClient(node, PATIENCE), text);
    try {
      for (Line line : Line.of(CLUSTER, cluster.tell(CLUSTER))) {
        if (line.has("service") && line.is("dns")) {
          for (String address : line.list("addresses")) {
            Optional<Ip> server = Ip.tryParse(address);
            if (server.isPresent()) {
              questions.speed(server.get(), NAME, TIMES);
            }
          }
        }
      }
      return text.toString();
    } catch (KernelException e) {
      throw new UnreadException("the node's network: " + e.getMessage(), Rights.remedy());
    }
  }
}
