package dev.sund.engine.trace;

import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;

/**
 * What becomes of a packet, there and back.
 *
 * @param packet the packet asked about
 * @param there hop by hop to where it ends
 * @param outcome why it ended there: {@link Reason#DELIVERED} or what stopped it
 * @param arrival who received it; empty when nobody did
 * @param sourceSeen the source address as the last receiver saw it
 * @param pathMtu the largest packet in bytes that this way carries undivided, judged by the
 *     devices, routes and links on the way there; 0 when the packet does not arrive
 * @param back hop by hop of the reply; empty when there is none
 * @param answered whether the reply comes back to the sender: the connection works
 * @param backOutcome why the reply ended where it did
 */
public record Trace(
    Packet packet,
    List<Hop> there,
    Reason outcome,
    Optional<Arrival> arrival,
    Optional<Ip> sourceSeen,
    int pathMtu,
    List<Hop> back,
    boolean answered,
    Reason backOutcome) {
  public Trace {
    there = List.copyOf(there);
    back = List.copyOf(back);
  }

  /** Who receives a packet. */
  public sealed interface Arrival {}

  /** A pod with its own network. */
  public record AtPod(NodeName node, PodKey pod) implements Arrival {}

  /** A node itself, or its hostNetwork pods. */
  public record AtNode(NodeName node) implements Arrival {}

  /** A host of the underlay outside of the cluster, or a router. */
  public record AtHost(String host) implements Arrival {}

  /** How a packet travels between two machines. */
  public enum Carriage {
    /** It does not leave the machine. */
    LOCAL,
    /** As it is. */
    DIRECT,
    /** Wrapped in VXLAN. */
    VXLAN
  }

  /**
   * One step of a packet.
   *
   * @param machine the node, router or host where it happens
   * @param stage what kind of step it is
   * @param carriage how it leaves this machine
   * @param device the device it leaves by; empty where it ends
   * @param outerSource the outer header's source when it is wrapped
   * @param outerDestination the outer header's destination when it is wrapped
   * @param mtu the largest packet that this step takes, 0 when it sets no bound
   * @param rule the program's entry that decided, if one did
   * @param text one line for people
   * @param decrements whether this step lowers the time to live: it forwards the packet
   */
  public record Hop(
      String machine,
      Stage stage,
      Carriage carriage,
      String device,
      Optional<Ip> outerSource,
      Optional<Ip> outerDestination,
      int mtu,
      Optional<RuleId> rule,
      String text,
      boolean decrements) {}

  /** The stages of the packet program, and the underlay. */
  public enum Stage {
    CLASSIFY,
    ROUTE,
    MASQUERADE,
    ENCAPSULATE,
    UNDERLAY,
    DECAPSULATE,
    DELIVER
  }

  /** Whether the packet reached somebody. */
  public boolean delivered() {
    return outcome == Reason.DELIVERED;
  }

  /** The number of machines that lower the time to live on the way there. */
  public int hopCount() {
    return (int) there.stream().filter(Hop::decrements).count();
  }

  /** The carriage between nodes on the way there: VXLAN if any hop is, else DIRECT if any is. */
  public Carriage carriage() {
    Carriage most = Carriage.LOCAL;
    for (Hop hop : there) {
      if (hop.carriage().compareTo(most) > 0) {
        most = hop.carriage();
      }
    }
    return most;
  }
}
