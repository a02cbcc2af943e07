package dev.sund.agent;

import dev.sund.agent.bridge.Translation;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.model.Prefix;
import java.util.SortedSet;

/** For a program that knows no bridges: it refuses {@code ipMasq} by name. */
final class NoTranslation implements Translation {
  @Override
  public void translate(String network, SortedSet<Prefix> subnets) throws CniException {
    throw new CniException(
        Code.UNSUPPORTED_FIELD,
        "Network " + network + ": ipMasq true is not supported.",
        "Leave the key out, or set it to false.");
  }

  @Override
  public void announce(String network, SortedSet<Prefix> subnets) {}
}
