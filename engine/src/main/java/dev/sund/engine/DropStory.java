package dev.sund.engine;

import dev.sund.model.Ip;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;

/**
 * What a dropped packet was about, in names: the packet joined with the program in force.
 *
 * @param pod the pod of this node whose rules dropped it
 * @param peer the other end
 * @param asked the Service or node that the sender asked, where that was another than the peer
 * @param reason why; empty when the program would let it go now: it has changed meanwhile
 * @param rule the rule of a policy of the cluster that denied it
 * @param isolating all policies that isolate the pod in this direction
 */
public record DropStory(
    Party pod,
    Party peer,
    Optional<Party> asked,
    Optional<Reason> reason,
    Optional<RuleId> rule,
    List<RuleId> isolating) {
  public DropStory {
    isolating = List.copyOf(isolating);
  }

  /** What somebody is. */
  public enum Kind {
    POD("pod"),
    NODE("node"),
    SERVICE("service"),
    /** A container that is no pod of the cluster. */
    CONTAINER("container"),
    /** Nobody that the cluster knows. */
    ADDRESS("address");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** {@code pod}, {@code node}, {@code service}, {@code container} or {@code address}. */
    public String label() {
      return label;
    }
  }

  /**
   * Somebody with an address.
   *
   * @param name {@code NAMESPACE/NAME}, a node's name, a container's, or the address
   * @param address by which it was known
   */
  public record Party(Kind kind, String name, Ip address) {
    static Party unnamed(Ip address) {
      return new Party(Kind.ADDRESS, address.toString(), address);
    }
  }
}
