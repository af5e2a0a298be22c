#!/bin/sh
# A SageMaker tour with the AWS CLI: train, wait, save, transform, serve, invoke, page through lists, clean up.
set -eu
bucket=cli-prices
role=arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole
image=683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

aws s3 mb "s3://$bucket"
awk 'BEGIN { srand(1); for (i = 0; i < 200; i++) { a = rand(); b = rand(); print 4 * a + b "," a "," b } }' > "$work/rows.csv"
cut -d, -f2- "$work/rows.csv" > "$work/score.csv"
aws s3 cp "$work/rows.csv" "s3://$bucket/train/"
aws s3 cp "$work/score.csv" "s3://$bucket/score/"

aws sagemaker create-training-job --training-job-name cli-1 --role-arn "$role" \
  --algorithm-specification "TrainingImage=$image,TrainingInputMode=File" \
  --hyper-parameters objective=reg:squarederror,num_round=10 \
  --input-data-config '[{"ChannelName": "train", "ContentType": "text/csv",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://cli-prices/train/"}}}]' \
  --output-data-config "S3OutputPath=s3://$bucket/models" \
  --resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5 \
  --stopping-condition MaxRuntimeInSeconds=600 --tags Key=team,Value=cars
aws sagemaker wait training-job-completed-or-stopped --training-job-name cli-1
test "$(aws sagemaker describe-training-job --training-job-name cli-1 --query TrainingJobStatus --output text)" = Completed
artifact=$(aws sagemaker describe-training-job --training-job-name cli-1 --query ModelArtifacts.S3ModelArtifacts --output text)
aws s3 cp "$artifact" "$work/model.tar.gz"
tar -tzf "$work/model.tar.gz" | grep -q xgboost-model
arn=$(aws sagemaker describe-training-job --training-job-name cli-1 --query TrainingJobArn --output text)
test "$(aws sagemaker list-tags --resource-arn "$arn" --query 'Tags[0].Value' --output text)" = cars

aws sagemaker create-model --model-name cli-1 --execution-role-arn "$role" \
  --primary-container "Image=$image,ModelDataUrl=$artifact"
aws sagemaker create-transform-job --transform-job-name cli-1 --model-name cli-1 \
  --transform-input '{"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://cli-prices/score/"}},
    "ContentType": "text/csv", "SplitType": "Line"}' \
  --transform-output "S3OutputPath=s3://$bucket/scores,AssembleWith=Line" \
  --transform-resources InstanceType=ml.m5.large,InstanceCount=1
aws sagemaker wait transform-job-completed-or-stopped --transform-job-name cli-1
test "$(aws s3 cp "s3://$bucket/scores/score.csv.out" - | wc -l)" -eq 200

aws sagemaker create-endpoint-config --endpoint-config-name cli-1 \
  --production-variants VariantName=all,ModelName=cli-1,InstanceType=ml.m5.large,InitialInstanceCount=1
aws sagemaker create-endpoint --endpoint-name cli --endpoint-config-name cli-1
aws sagemaker wait endpoint-in-service --endpoint-name cli
aws sagemaker-runtime invoke-endpoint --endpoint-name cli --content-type text/csv --body '0.5,0.5' "$work/answer"
grep -Eq '^[0-9.]+' "$work/answer"

for number in 2 3; do
  aws sagemaker create-model --model-name "cli-$number" --execution-role-arn "$role" \
    --primary-container "Image=$image,ModelDataUrl=$artifact"
done
token=$(aws sagemaker list-models --name-contains cli- --page-size 1 --max-items 2 --query NextToken --output json | tr -d '"')
test "$(aws sagemaker list-models --name-contains cli- --starting-token "$token" --query 'length(Models)')" -eq 1
test "$(aws sagemaker list-models --name-contains cli- --page-size 1 --query 'length(Models)')" -eq 3

if aws sagemaker describe-model --model-name nobody 2> "$work/error"; then exit 1; fi
grep -q '(ValidationException).*Could not find model' "$work/error"
if aws sagemaker stop-training-job --training-job-name nobody 2> "$work/error"; then exit 1; fi
grep -q '(ValidationException).*Requested resource not found' "$work/error"

aws sagemaker delete-endpoint --endpoint-name cli
aws sagemaker wait endpoint-deleted --endpoint-name cli
aws sagemaker delete-endpoint-config --endpoint-config-name cli-1
for number in 1 2 3; do aws sagemaker delete-model --model-name "cli-$number"; done
echo ok
