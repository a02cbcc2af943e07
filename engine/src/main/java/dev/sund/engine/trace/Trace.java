package dev.sund.engine.trace;

import dev.sund.engine.program.Frontend;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.ArrayList;
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
 * @param portSeen the destination port as the last receiver saw it; 0 when there is none, or nobody
 *     received the packet
 * @param destinationSeen the destination address that the packet had where it ended, translated or
 *     not
 * @param pathMtu the largest packet in bytes that this way carries undivided, judged by the
 *     devices, routes and links on the way there; 0 when the packet does not arrive
 * @param notice who tells the sender that it does not arrive; empty when it arrives, or vanishes
 * @param back hop by hop of the reply, or of the notice; empty when there is neither
 * @param answered whether the packet arrives and its reply comes back to the sender: the connection
 *     works
 * @param backOutcome why the reply or notice ended where it did; {@link Reason#NO_WAY_BACK} when
 *     there is neither, or when it ends with somebody else
 * @param choices where one of several endpoints was followed on the way there, in order
 * @param blocked which policy's verdict stopped the packet, when one did
 */
public record Trace(
    Packet packet,
    List<Hop> there,
    Reason outcome,
    Optional<Arrival> arrival,
    Optional<Ip> sourceSeen,
    int portSeen,
    Ip destinationSeen,
    int pathMtu,
    Optional<Notice> notice,
    List<Hop> back,
    boolean answered,
    Reason backOutcome,
    List<Choice> choices,
    Optional<Blocked> blocked) {
  public Trace {
    there = List.copyOf(there);
    back = List.copyOf(back);
    choices = List.copyOf(choices);
  }

  /**
   * A policy's verdict by which a packet ends.
   *
   * @param direction whether the pod is asked or asks
   * @param pod the pod's address
   * @param peer the other end's, as the pod's node sees it
   * @param protocol the packet's
   * @param port the destination's, 0 when the protocol has none
   * @param rule the rule that denies it, or the first of {@code isolating}
   * @param isolating the policies that isolate the pod in this direction
   */
  public record Blocked(
      RuleId.Direction direction,
      Ip pod,
      Ip peer,
      Protocol protocol,
      int port,
      RuleId rule,
      List<RuleId> isolating) {
    public Blocked {
      isolating = List.copyOf(isolating);
    }

    /** Whether the pod is isolated and no rule allows the packet: no rule denies it. */
    public boolean isIsolated() {
      return isolating.contains(rule);
    }
  }

  /**
   * A place on the way where a packet gets one of a frontend's endpoints, each as likely: {@link
   * PathTracer#traces} follows it to each.
   *
   * @param frontend whose
   * @param slot which one this trace followed, from 0
   * @param of how many there are, 1 and up
   */
  public record Choice(Frontend.Key frontend, int slot, int of) {}

  /** Who receives a packet. */
  public sealed interface Arrival {}

  /** A pod with its own network. */
  public record AtPod(NodeName node, PodKey pod) implements Arrival {}

  /** A node itself, or its hostNetwork pods. */
  public record AtNode(NodeName node) implements Arrival {}

  /** A host of the underlay outside of the cluster, or a router. */
  public record AtHost(String host) implements Arrival {}

  /**
   * The news that a packet does not arrive: an ICMP error, or the error that the sender's own
   * kernel returns at once.
   *
   * @param machine who sends it
   * @param source its source address; empty when the sender's own kernel says it
   * @param arrives whether it gets to the sender
   */
  public record Notice(String machine, Optional<Ip> source, boolean arrives) {}

  /**
   * The outer header of a wrapped packet.
   *
   * @param source the sending node's underlay address
   * @param destination the receiving node's underlay address
   * @param vni the VXLAN network identifier; 0 when it is wrapped in IPIP
   * @param port the UDP destination port; 0 when it is wrapped in IPIP
   */
  public record Outer(Ip source, Ip destination, int vni, int port) {
    /** The outer header of a packet in IPIP. */
    public static Outer ipip(Ip source, Ip destination) {
      return new Outer(source, destination, 0, 0);
    }

    /** How the packet is wrapped. */
    public Carriage carriage() {
      return port == 0 ? Carriage.IPIP : Carriage.VXLAN;
    }
  }

  /**
   * A machine on the way, as time-to-live probes see it, and how packets leave it for the next.
   *
   * @param machine its name
   * @param carriage {@link Carriage#LOCAL} on the last
   * @param outer the outer header when they leave wrapped
   */
  public record Step(String machine, Carriage carriage, Optional<Outer> outer) {}

  /** How a packet travels between two machines. */
  public enum Carriage {
    /** It does not leave the machine. */
    LOCAL,
    /** As it is. */
    DIRECT,
    /** Wrapped in IPIP. */
    IPIP,
    /** Wrapped in VXLAN. */
    VXLAN;

    /** Whether it is wrapped. */
    public boolean wrapped() {
      return switch (this) {
        case LOCAL, DIRECT -> false;
        case IPIP, VXLAN -> true;
      };
    }
  }

  /**
   * One step of a packet.
   *
   * @param machine the node, router or host where it happens; a pod's packets are born on its node
   * @param stage what kind of step it is
   * @param carriage how it leaves this machine
   * @param device the device it leaves by; empty where it ends
   * @param outer the outer header when it is wrapped
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
      Optional<Outer> outer,
      int mtu,
      Optional<RuleId> rule,
      String text,
      boolean decrements) {}

  /** The stages of the packet program, and the underlay. */
  public enum Stage {
    CLASSIFY,
    TRANSLATE,
    ROUTE,
    EGRESS,
    INGRESS,
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

  /**
   * The machines on the way there, in order: where the packet is born, those that forward it, and
   * where it ends. Machines that carry it wrapped are not among them.
   */
  public List<Step> path() {
    List<Step> steps = new ArrayList<>();
    for (Hop hop : there) {
      if (hop.stage() == Stage.UNDERLAY && hop.carriage().wrapped()) {
        continue;
      }
      Step step = new Step(hop.machine(), hop.carriage(), hop.outer());
      if (steps.isEmpty() || !steps.getLast().machine().equals(hop.machine())) {
        steps.add(step);
      } else if (steps.getLast().carriage().compareTo(hop.carriage()) < 0) {
        steps.set(steps.size() - 1, step);
      }
    }
    return steps;
  }

  /** Whether the sender hears that the packet does not arrive. */
  public boolean told() {
    return notice.map(Notice::arrives).orElse(false);
  }

  /** The carriage between nodes on the way there: wrapped if any hop is, else DIRECT if any is. */
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
