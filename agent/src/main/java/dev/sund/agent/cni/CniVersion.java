package dev.sund.agent.cni;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The versions of the specification that are understood, oldest first. */
public enum CniVersion {
  V0_1_0("0.1.0"),
  V0_2_0("0.2.0"),
  V0_3_0("0.3.0"),
  V0_3_1("0.3.1"),
  V0_4_0("0.4.0"),
  V1_0_0("1.0.0"),
  V1_1_0("1.1.0");

  /** The newest. */
  public static final CniVersion NEWEST = V1_1_0;

  /** What a configuration without a version is taken for. */
  public static final CniVersion UNSAID = V0_2_0;

  private final String text;

  CniVersion(String text) {
    this.text = text;
  }

  /** As it stands in {@code cniVersion}. */
  public String text() {
    return text;
  }

  /** Whether this one is {@code other} or newer. */
  public boolean atLeast(CniVersion other) {
    return compareTo(other) >= 0;
  }

  /** The version of this text; empty when it is not understood. */
  public static Optional<CniVersion> tryParse(String text) {
    return Arrays.stream(values()).filter(version -> version.text.equals(text)).findFirst();
  }

  /** All of them as texts. */
  public static List<String> texts() {
    return Arrays.stream(values()).map(CniVersion::text).toList();
  }

  @Override
  public String toString() {
    return text;
  }
}
