package dev.sund.doctor;

/** Something of the kernel that a finding says should be otherwise, and that can be set. */
public sealed interface Setting {
  /**
   * A key of the kernel.
   *
   * @param key below {@code /proc/sys}, with slashes, such as {@code net/ipv4/ip_forward}
   * @param value as it should be, words with one space between
   */
  record Sysctl(String key, String value) implements Setting {
    /** A key with a number. */
    public Sysctl(String key, long value) {
      this(key, String.valueOf(value));
    }

    /**
     * The key as it is written in files and commands: with dots, unless a device has one in its
     * name; sysctl.d(5) leaves dots alone where a slash comes first.
     */
    public static String written(String key) {
      return key.contains(".") ? key : key.replace('/', '.');
    }

    @Override
    public String toString() {
      return written(key) + "=" + (value.contains(" ") ? "'" + value + "'" : value);
    }
  }

  /**
   * A module of the kernel that should be loaded.
   *
   * @param name such as {@code br_netfilter}
   */
  record Module(String name) implements Setting {
    @Override
    public String toString() {
      return name;
    }
  }
}
