package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.dataplane.BridgeLinks;
import dev.sund.engine.hostlocal.AddressStoreException;
import dev.sund.engine.hostlocal.NoAddressException;
import java.io.IOException;

/** From what can go wrong to CNI's words, with the code that the reference plugins have for it. */
final class Failures {
  private Failures() {}

  /** A call that may fail in many ways. */
  @FunctionalInterface
  interface Call<T> {
    T run() throws Exception;
  }

  /** Runs {@code call} and tells its failure in CNI's words. */
  static <T> T told(Call<T> call) throws CniException, InterruptedException {
    try {
      return call.run();
    } catch (CniException | InterruptedException | RuntimeException e) {
      throw e;
    } catch (BridgeLinks.UnfitException e) {
      throw new CniException(Code.INTERNAL, String.valueOf(e.getMessage()), e.remedy());
    } catch (NoAddressException e) {
      throw new CniException(Code.INTERNAL, String.valueOf(e.getMessage()), e.remedy());
    } catch (AddressStoreException e) {
      throw new CniException(
          Code.INTERNAL, e.getMessage() + ".", "Look at the directory and its disk.");
    } catch (IOException e) { // the kernel's refusals too
      throw new CniException(
          Code.INTERNAL,
          sentence(String.valueOf(e.getMessage())),
          "Look at the configuration's values, and at what else is on the node by these names.");
    } catch (Exception e) {
      throw new AssertionError("a failure of a kind that is not thrown", e);
    }
  }

  private static String sentence(String text) {
    return text.endsWith(".") ? text : text + ".";
  }
}
