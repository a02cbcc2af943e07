package dev.sund.cli;

import dev.sund.agent.AgentVersion;
import picocli.CommandLine.IVersionProvider;

/** Which Sund this is, on which Java and kernel. */
public final class Version implements IVersionProvider {
  /** The version; {@code unpackaged} when run from class files. */
  public static String text() {
    return AgentVersion.text();
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
