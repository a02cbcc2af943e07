package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernel's version.
 *
 * @param text as {@code uname -r} says it
 */
record Release(String text, int major, int minor) {
  private static final String FILE = "proc/sys/kernel/osrelease";
  private static final Pattern VERSION = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");

  static Release of(Host host) throws UnreadException {
    String text = host.text(FILE);
    Matcher version = VERSION.matcher(text);
    if (!version.matches()) {
      throw new UnreadException(
          "/" + FILE + " says '" + text + "', which is no version", "Report it with the kernel.");
    }
    return new Release(
        text, Integer.parseInt(version.group(1)), Integer.parseInt(version.group(2)));
  }

  boolean isAtLeast(int wantedMajor, int wantedMinor) {
    return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
  }
}
