package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.CniRequest;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What {@code CNI_ARGS} says to the reference plugins: {@code IP}, {@code MAC}, and no more. */
final class CallArgs {
  private static final String IGNORE = "IgnoreUnknown";

  private CallArgs() {}

  /**
   * Refuses words that are not known, unless the caller says {@code IgnoreUnknown=1}: a runtime of
   * Kubernetes does.
   */
  static void check(CniRequest request, String known) throws CniException {
    String ignore = request.args().getOrDefault(IGNORE, "0").toLowerCase(Locale.ROOT);
    if (!List.of("0", "1", "true", "false").contains(ignore)) {
      throw wrong(IGNORE + "=" + ignore + " is neither 0 nor 1", "Say 0 or 1.");
    }
    if (ignore.equals("1") || ignore.equals("true")) {
      return;
    }
    for (String word : request.args().keySet().stream().sorted().toList()) {
      if (!word.equals(known) && !word.equals(IGNORE)) {
        throw wrong(
            word + "=" + request.args().get(word) + " is not known",
            "Leave it out, or say IgnoreUnknown=1.");
      }
    }
  }

  /** The value of a word; empty when it was not said. */
  static Optional<String> word(CniRequest request, String name) {
    return Optional.ofNullable(request.args().get(name)).filter(text -> !text.isEmpty());
  }

  static CniException wrong(String why, String remedy) {
    return new CniException(Code.INTERNAL, "CNI_ARGS: " + why + ".", remedy);
  }
}
