import { type Operation, xmlReply } from "../operation.ts";
import { s3Namespace, xmlDocument } from "../xml-writer.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
export const headBucket: Operation = {
  name: "HeadBucket",
  method: "HEAD",
  on: "bucket",
  body: "none",
  run: ({ options }) => ({ status: 200, headers: { "x-amz-bucket-region": options.region } }),
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export const getBucketLocation: Operation = {
  name: "GetBucketLocation",
  method: "GET",
  on: "bucket",
  marks: { location: undefined },
  body: "none",
  run({ options }) {
    // The oldest region has no name here.
    const region = options.region === "us-east-1" ? "" : options.region;
    return xmlReply(xmlDocument("LocationConstraint", region, s3Namespace));
  },
};
