package dev.sund.kernel;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The kernel's error numbers that network code meets, with their texts, and the one mapping from a
 * number to a typed {@link KernelException}.
 *
 * <p>The numbers are those of {@code asm-generic/errno.h}, which amd64, arm64 and riscv64 share.
 */
public enum Errno {
  EPERM(1, "Operation not permitted"),
  ENOENT(2, "No such file or directory"),
  ESRCH(3, "No such process"),
  EINTR(4, "Interrupted system call"),
  EIO(5, "Input/output error"),
  ENXIO(6, "No such device or address"),
  E2BIG(7, "Argument list too long"),
  EBADF(9, "Bad file descriptor"),
  EAGAIN(11, "Resource temporarily unavailable"),
  ENOMEM(12, "Cannot allocate memory"),
  EACCES(13, "Permission denied"),
  EFAULT(14, "Bad address"),
  EBUSY(16, "Device or resource busy"),
  EEXIST(17, "File exists"),
  EXDEV(18, "Invalid cross-device link"),
  ENODEV(19, "No such device"),
  ENOTDIR(20, "Not a directory"),
  EISDIR(21, "Is a directory"),
  EINVAL(22, "Invalid argument"),
  ENFILE(23, "Too many open files in system"),
  EMFILE(24, "Too many open files"),
  ENOTTY(25, "Inappropriate ioctl for device"),
  EFBIG(27, "File too large"),
  ENOSPC(28, "No space left on device"),
  EROFS(30, "Read-only file system"),
  EMLINK(31, "Too many links"),
  EPIPE(32, "Broken pipe"),
  EDOM(33, "Numerical argument out of domain"),
  ERANGE(34, "Numerical result out of range"),
  ENAMETOOLONG(36, "File name too long"),
  ENOSYS(38, "Function not implemented"),
  ENOTEMPTY(39, "Directory not empty"),
  ELOOP(40, "Too many levels of symbolic links"),
  ENODATA(61, "No data available"),
  EPROTO(71, "Protocol error"),
  EBADMSG(74, "Bad message"),
  EOVERFLOW(75, "Value too large for defined data type"),
  ENOTUNIQ(76, "Name not unique on network"),
  ERESTART(85, "Interrupted system call should be restarted"),
  EUSERS(87, "Too many users"),
  ENOTSOCK(88, "Socket operation on non-socket"),
  EDESTADDRREQ(89, "Destination address required"),
  EMSGSIZE(90, "Message too long"),
  EPROTOTYPE(91, "Protocol wrong type for socket"),
  ENOPROTOOPT(92, "Protocol not available"),
  EPROTONOSUPPORT(93, "Protocol not supported"),
  ESOCKTNOSUPPORT(94, "Socket type not supported"),
  EOPNOTSUPP(95, "Operation not supported"),
  EPFNOSUPPORT(96, "Protocol family not supported"),
  EAFNOSUPPORT(97, "Address family not supported by protocol"),
  EADDRINUSE(98, "Address already in use"),
  EADDRNOTAVAIL(99, "Cannot assign requested address"),
  ENETDOWN(100, "Network is down"),
  ENETUNREACH(101, "Network is unreachable"),
  ENETRESET(102, "Network dropped connection on reset"),
  ECONNABORTED(103, "Software caused connection abort"),
  ECONNRESET(104, "Connection reset by peer"),
  ENOBUFS(105, "No buffer space available"),
  EISCONN(106, "Transport endpoint is already connected"),
  ENOTCONN(107, "Transport endpoint is not connected"),
  ESHUTDOWN(108, "Cannot send after transport endpoint shutdown"),
  ETIMEDOUT(110, "Connection timed out"),
  ECONNREFUSED(111, "Connection refused"),
  EHOSTDOWN(112, "Host is down"),
  EHOSTUNREACH(113, "No route to host"),
  EALREADY(114, "Operation already in progress"),
  EINPROGRESS(115, "Operation now in progress"),
  ESTALE(116, "Stale file handle"),
  ECANCELED(125, "Operation canceled"),
  /** Kernel-internal, but some netlink families let it out. */
  ENOTSUPP(524, "Operation is not supported");

  private static final Map<Integer, Errno> BY_NUMBER = new HashMap<>();

  static {
    for (Errno errno : values()) {
      BY_NUMBER.put(errno.number, errno);
    }
  }

  private final int number;
  private final String text;

  Errno(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** The number, positive. */
  public int number() {
    return number;
  }

  /** The C library's English text. */
  public String text() {
    return text;
  }

  /**
   * Whether a C library call or a kernel answer that gave {@code result} failed with this error.
   */
  public boolean is(long result) {
    return result == -number;
  }

  /** The error of this positive number, empty for one that is not listed here. */
  public static Optional<Errno> of(int number) {
    return Optional.ofNullable(BY_NUMBER.get(number));
  }

  /** The name of a positive number, such as {@code EEXIST}, or {@code errno 77}. */
  public static String nameOf(int number) {
    return of(number).map(Errno::name).orElse("errno " + number);
  }

  /** The text of a positive number, such as {@code File exists}. */
  public static String textOf(int number) {
    return of(number).map(Errno::text).orElse("Unknown error " + number);
  }

  /**
   * Returns {@code result} when it is no error.
   *
   * @param result what a call returned: negative is a negated errno
   * @throws KernelException the error's type; a refusal for lack of rights names CAP_NET_ADMIN
   */
  public static int check(int result, String operation, String object) throws KernelException {
    if (result < 0) {
      throw exception(operation, object, -result, "", Capability.NET_ADMIN);
    }
    return result;
  }

  /** As {@link #check(int, String, String)}, for an operation that needs another capability. */
  public static int check(int result, String operation, String object, Capability needed)
      throws KernelException {
    if (result < 0) {
      throw exception(operation, object, -result, "", needed);
    }
    return result;
  }

  /**
   * The typed exception of an error: the only place that gives numbers a meaning.
   *
   * @param operation what was asked, such as {@code add route}
   * @param object of which object, such as {@code 10.1.2.0/24 dev vxlan0}
   * @param number the errno, positive
   * @param extack the kernel's extended text, or empty
   * @param needed the capability that the operation needs
   */
  public static KernelException exception(
      String operation, String object, int number, String extack, Capability needed) {
    Errno errno = BY_NUMBER.get(number);
    if (errno == null) {
      return new KernelException.Refused(operation, object, number, extack);
    }
    return switch (errno) {
      case EEXIST -> new KernelException.AlreadyExists(operation, object, number, extack);
      case ENOENT, ESRCH, ENODEV, ENXIO, EADDRNOTAVAIL ->
          new KernelException.NotFound(operation, object, number, extack);
      case EBUSY -> new KernelException.Busy(operation, object, number, extack);
      case EPERM, EACCES -> new KernelException.Denied(operation, object, number, extack, needed);
      case EOPNOTSUPP,
          ENOTSUPP,
          ENOSYS,
          ENOPROTOOPT,
          EPROTONOSUPPORT,
          ESOCKTNOSUPPORT,
          EPFNOSUPPORT,
          EAFNOSUPPORT ->
          new KernelException.Unsupported(
              operation, object, number, extack, operation + " " + object, "");
      case ENOSPC, ENOMEM, ENOBUFS, EMFILE, ENFILE ->
          new KernelException.NoSpace(operation, object, number, extack);

      case EINTR,
          EIO,
          E2BIG,
          EBADF,
          EAGAIN,
          EFAULT,
          EXDEV,
          ENOTDIR,
          EISDIR,
          EINVAL,
          ENOTTY,
          EFBIG,
          EROFS,
          EMLINK,
          EPIPE,
          EDOM,
          ERANGE,
          ENAMETOOLONG,
          ENOTEMPTY,
          ELOOP,
          ENODATA,
          EPROTO,
          EBADMSG,
          EOVERFLOW,
          ENOTUNIQ,
          ERESTART,
          EUSERS,
          ENOTSOCK,
          EDESTADDRREQ,
          EMSGSIZE,
          EPROTOTYPE,
          EADDRINUSE,
          ENETDOWN,
          ENETUNREACH,
          ENETRESET,
          ECONNABORTED,
          ECONNRESET,
          EISCONN,
          ENOTCONN,
          ESHUTDOWN,
          ETIMEDOUT,
          ECONNREFUSED,
          EHOSTDOWN,
          EHOSTUNREACH,
          EALREADY,
          EINPROGRESS,
          ESTALE,
          ECANCELED ->
          new KernelException.Refused(operation, object, number, extack);
    };
  }
}
