package dev.sund.kernel;

import java.io.IOException;

/**
 * What the kernel answered when it did not do as asked.
 *
 * <p>Each kind asks for something else of the caller, which is why they are types; the number is
 * mapped once, in {@link Errno}. Messages read {@code OPERATION OBJECT: KIND (ERRNO, kernel:
 * "TEXT")} and, where there is one, the next step.
 */
public abstract sealed class KernelException extends IOException {
  private final String operation;
  private final String object;
  private final int errno;
  private final String extack;

  private KernelException(
      String operation, String object, int errno, String extack, String kind, String remedy) {
    super(text(operation, object, errno, extack, kind, remedy));
    this.operation = operation;
    this.object = object;
    this.errno = errno;
    this.extack = extack;
  }

  /** What was asked, such as {@code add route}. */
  public String operation() {
    return operation;
  }

  /** Of which object, such as {@code 10.1.2.0/24 dev vxlan0}. */
  public String object() {
    return object;
  }

  /** The error number, positive; 0 where the kernel gave none. */
  public int errno() {
    return errno;
  }

  /** The kernel's extended acknowledgement, such as {@code Unknown device type}; empty if none. */
  public String extack() {
    return extack;
  }

  /** The kernel's own words: the extended acknowledgement, else the text of the number. */
  public String kernelText() {
    return extack.isEmpty() && errno != 0 ? Errno.textOf(errno) : extack;
  }

  private static String text(
      String operation, String object, int errno, String extack, String kind, String remedy) {
    StringBuilder text = new StringBuilder(operation);
    if (!object.isEmpty()) {
      text.append(' ').append(object);
    }
    text.append(": ").append(kind);
    if (errno != 0) {
      text.append(" (").append(Errno.nameOf(errno)).append(", kernel: \"");
      text.append(extack.isEmpty() ? Errno.textOf(errno) : extack).append("\")");
    } else if (!extack.isEmpty()) {
      text.append(" (").append(extack).append(')');
    }
    if (!remedy.isEmpty()) {
      text.append(". ").append(remedy);
    }
    return text.toString();
  }

  /** The object to be made is there. Read it back: equal, ours but different, or foreign. */
  public static final class AlreadyExists extends KernelException {
    AlreadyExists(String operation, String object, int errno, String extack) {
      super(operation, object, errno, extack, "AlreadyExists", "");
    }
  }

  /** The object, or one that it refers to, is not there. After a removal that is success. */
  public static final class NotFound extends KernelException {
    NotFound(String operation, String object, int errno, String extack) {
      super(operation, object, errno, extack, "NotFound", "");
    }
  }

  /** The object is in use. Try again in the next cycle. */
  public static final class Busy extends KernelException {
    Busy(String operation, String object, int errno, String extack) {
      super(operation, object, errno, extack, "Busy", "");
    }
  }

  /** A listing changed while it was read, at each of several tries. Try again later. */
  public static final class DumpInterrupted extends KernelException {
    /** After {@code tries} listings that all changed while they were read. */
    public DumpInterrupted(String operation, int tries) {
      super(
          operation,
          "",
          0,
          "",
          "DumpInterrupted, changed while it was read at each of " + tries + " tries",
          "");
    }
  }

  /** The process lacks a capability. Nothing will change until it is granted. */
  public static final class Denied extends KernelException {
    private final Capability capability;

    Denied(String operation, String object, int errno, String extack, Capability capability) {
      super(
          operation,
          object,
          errno,
          extack,
          "Denied, needs " + capability.label(),
          "Run as root or grant " + capability.label() + ".");
      this.capability = capability;
    }

    /** The capability that the operation needs. */
    public Capability capability() {
      return capability;
    }
  }

  /** This kernel does not have the feature. */
  public static final class Unsupported extends KernelException {
    private final String feature;
    private final String sinceKernel;

    /**
     * A feature that this kernel lacks.
     *
     * @param sinceKernel the first release with it, such as {@code 6.6}; empty when unknown or when
     *     it is a matter of configuration
     */
    public Unsupported(
        String operation,
        String object,
        int errno,
        String extack,
        String feature,
        String sinceKernel) {
      super(
          operation,
          object,
          errno,
          extack,
          "Unsupported",
          sinceKernel.isEmpty() ? "" : feature + " needs Linux " + sinceKernel + " or later.");
      this.feature = feature;
      this.sinceKernel = sinceKernel;
    }

    /** What is missing. */
    public String feature() {
      return feature;
    }

    /** The first release that has it, empty when unknown. */
    public String sinceKernel() {
      return sinceKernel;
    }
  }

  /** Memory, descriptors, buffers or the object's own room ran out. */
  public static final class NoSpace extends KernelException {
    NoSpace(String operation, String object, int errno, String extack) {
      super(operation, object, errno, extack, "NoSpace", "");
    }
  }

  /** Any other refusal: mostly a value that the kernel does not accept. */
  public static final class Refused extends KernelException {
    Refused(String operation, String object, int errno, String extack) {
      super(operation, object, errno, extack, "Refused", "");
    }
  }

  /** What was received is not what the protocol says: too short, or lengths that do not fit. */
  public static final class Malformed extends KernelException {
    /** A message that cannot be decoded, and why. */
    public Malformed(String what, String why) {
      super("decode", what, 0, "", "Malformed, " + why, "");
    }
  }
}
