package dev.sund.agent;

/** Which Sund this is. */
public final class AgentVersion {
  private AgentVersion() {}

  /** The version as in the jar's manifest; {@code unpackaged} when run from class files. */
  public static String text() {
    String version = AgentVersion.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }
}
