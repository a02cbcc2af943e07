package dev.sund.agent.cni;

import dev.sund.agent.local.Answer;

/**
 * A request that was not served, in CNI's words (specification 1.1.0, "Error"). The pod's network
 * is as it was before.
 */
public final class CniException extends Exception {
  private static final long serialVersionUID = 1;

  /** CNI's error codes, as far as Sund uses them. */
  public enum Code {
    /** The request's cniVersion is not supported. */
    INCOMPATIBLE_VERSION(1),
    /** A field of the network configuration is not supported; the message names key and value. */
    UNSUPPORTED_FIELD(2),
    /** The container is not known: the runtime need not clean up. */
    UNKNOWN_CONTAINER(3),
    /** A parameter is missing or invalid: container, namespace, interface, args. */
    INVALID_ENVIRONMENT(4),
    /** Reading or writing failed. */
    IO_FAILURE(5),
    /** The request is not well-formed. */
    UNDECODABLE(6),
    /** The network configuration is invalid. */
    INVALID_CONFIG(7),
    /** The agent cannot serve now, and will soon: try again. */
    TRY_AGAIN_LATER(11),
    /** STATUS: the agent cannot serve ADD. */
    NOT_AVAILABLE(50),
    /** STATUS: the agent cannot serve ADD, and the network of running containers suffers too. */
    NOT_AVAILABLE_AND_LIMITED(51),
    /** The kernel refused, or holds something foreign where ours should be. */
    KERNEL_REFUSED(100),
    /** Another pod of this node has the address. */
    ADDRESS_IN_USE(101),
    /** ADD: the container has an interface of this name already. */
    INTERFACE_EXISTS(103),
    /** ADD: all addresses are taken, or none may be given to this pod. */
    NO_ADDRESS_LEFT(104),
    /** CHECK: the kernel does not hold what it should. */
    DIFFERS(102),
    /** What the reference plugins call internal; in bridge mode, for the sake of equal codes. */
    INTERNAL(999);

    private final int number;

    Code(int number) {
      this.number = number;
    }

    /** The number in the error object. */
    public int number() {
      return number;
    }
  }

  private final Code code;
  private final String details;

  /**
   * An error.
   *
   * @param code its kind
   * @param message one sentence: what is wrong, with the value
   * @param remedy one sentence: what to do
   */
  public CniException(Code code, String message, String remedy) {
    super(message);
    this.code = code;
    this.details = remedy;
  }

  /** Its kind. */
  public Code code() {
    return code;
  }

  /** What to do. */
  public String details() {
    return details;
  }

  Answer answer(CniVersion version) {
    return Answer.error(version.text(), code.number, String.valueOf(getMessage()), details);
  }
}
