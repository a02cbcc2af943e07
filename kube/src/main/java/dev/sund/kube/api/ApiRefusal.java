package dev.sund.kube.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;

/** The API server answered, but not what was asked: Kubernetes' {@code Status}. */
public final class ApiRefusal extends IOException {
  private static final long serialVersionUID = 1;

  private final int code;

  /**
   * A refusal.
   *
   * @param code the HTTP status code
   * @param message what the server says about it
   */
  public ApiRefusal(int code, String message) {
    super(message);
    this.code = code;
  }

  /** The refusal that the body of an answer other than 200 means. */
  static ApiRefusal of(int code, String body) {
    try {
      if (JsonTrees.parse(body) instanceof Tree.Mapping status) {
        return of(status, code);
      }
    } catch (MalformedException _) {
      // Not a Status: a proxy's page, or the plain text of an unknown path.
    }
    String line = body.lines().findFirst().orElse("no text");
    return new ApiRefusal(code, line.length() > 200 ? line.substring(0, 200) : line);
  }

  /**
   * The refusal that a {@code Status} object means.
   *
   * @param otherwise its code when the object states none
   */
  public static ApiRefusal of(Tree.Mapping status, int otherwise) {
    int code = otherwise;
    try {
      code = Integer.parseInt(status.text("code").orElse(Integer.toString(otherwise)));
    } catch (NumberFormatException _) {
      // A server that writes no number there still refuses.
    }
    return new ApiRefusal(code, status.text("message").orElse("no message"));
  }

  /** The HTTP status code. */
  public int code() {
    return code;
  }

  /** Whether what was asked for lies too far back: list anew. */
  public boolean isGone() {
    return code == 410;
  }

  /** Whether the server does not have the resource at all. */
  public boolean isNotFound() {
    return code == 404;
  }
}
