package dev.sund.doctor;

/** What helps somebody whom the kernel denies to look. */
public final class Rights {
  private Rights() {}

  /** The remedy for who runs this: another user, or another root. A sentence. */
  public static String remedy() {
    return remedyFor(System.getProperty("user.name", ""));
  }

  static String remedyFor(String user) {
    return user.equals("root")
        ? "This root may not look there: a container needs CAP_SYS_PTRACE for the files of other"
            + " processes, CAP_NET_ADMIN and CAP_SYS_ADMIN for networks."
        : "Run it as root, by sudo.";
  }
}
