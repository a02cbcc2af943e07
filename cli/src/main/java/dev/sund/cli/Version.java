package dev.sund.cli;

import picocli.CommandLine.IVersionProvider;

/** Which Sund this is, on which Java and kernel. */
public final class Version implements IVersionProvider {
  /** The version as in the jar's manifest; {@code unpackaged} when run from class files. */
  public static String text() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "sund "
          + text()
          + " (Java "
          + Runtime.version().feature()
          + ", "
          + System.getProperty("os.name")
          + " "
          + System.getProperty("os.version")
          + ", "
          + System.getProperty("os.arch")
          + ")"
    };
  }
}
